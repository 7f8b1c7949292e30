"""A thousand people who do not exist, the same ones every time: names in eleven languages, addresses under `.example`.

Guarantee: no address can reach anybody, since `.example` is never delegated (RFC 2606).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from envoi.contacts.models import Kind


@dataclass(frozen=True, slots=True)
class Place:
    """Where some of the people live: language tag (BCP 47), country, towns, first and last names."""

    language: str
    country: str
    towns: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    share: int
    latin: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Person:
    """One of them, as the fields of a contact."""

    kind: Kind
    address: str
    first_name: str
    last_name: str
    organisation: str
    city: str
    country: str
    language: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLACES = (
    Place(
        "en", "United Kingdom", ("Bristol", "Leeds", "Norwich", "Glasgow"),
        _words("Ada Grace Oliver Isla George Freya Arthur Maisie Theo Imogen"),
        _words("Fletcher Whitlock Marsh Okafor Hargreaves Lindqvist Patel Brennan Sutton Ashworth"), 24,
    ),
    Place(
        "fr", "France", ("Nantes", "Lyon", "Montpellier", "Besançon"),
        _words("Chloé Hélène Étienne Anaïs Loïc Margaux Théo Zoé Benoît Noémie"),
        _words("Lefèvre Dubois Garçon Moreau Lemaître Roussel Bérenger Faure Chevalier Gauthier"), 18,
    ),
    Place(
        "nl", "Nederland", ("Utrecht", "Groningen", "Delft", "’s-Hertogenbosch"),
        _words("Sanne Daan Femke Bram Lotte Ruben Noor Thijs Fleur Jelle"),
        ("de Vries", "van den Berg", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Peters", "Hendriks"), 16,
    ),
    Place(
        "sv", "Sverige", ("Göteborg", "Umeå", "Malmö", "Örebro"),
        _words("Åsa Björn Linnéa Örjan Maja Nils Saga Göran Elin Sixten"),
        _words("Öberg Åkesson Lindström Bergqvist Sjögren Nyström Hägg Sandberg Ekström Wallin"), 16,
    ),
    Place(
        "de", "Deutschland", ("Köln", "Leipzig", "Münster", "Tübingen"),
        _words("Jürgen Käthe Lukas Mia Sören Lena Jonas Greta Moritz Frieda"),
        _words("Müller Schäfer Weiß Köhler Brandt Vogel Jäger Größ Krämer Böhm"), 10,
    ),
    Place(
        "es", "España", ("Cádiz", "León", "Málaga", "Bilbao"),
        _words("Lucía Íñigo Begoña Álvaro Martina Hugo Inés Raúl Sofía Andrés"),
        _words("Muñoz Núñez Ibáñez Peña Ramírez Ortega Vázquez Suárez Castaño Ríos"), 6,
    ),
    Place(
        "pl", "Polska", ("Łódź", "Kraków", "Gdańsk", "Wrocław"),
        _words("Zofia Łukasz Małgorzata Paweł Hanna Wojciech Agnieszka Michał Ewa Stanisław"),
        _words("Wójcik Kowalczyk Szymański Dąbrowska Zieliński Król Pawłowska Górski Jabłoński Sikora"), 4,
    ),
    Place(
        "el", "Ελλάδα", ("Αθήνα", "Πάτρα", "Χανιά"),
        _words("Ελένη Γιώργος Μαρία Νίκος Σοφία"), _words("Παπαδόπουλος Νικολάου Γεωργίου Δημητρίου"), 2,
        ("eleni", "giorgos", "maria", "nikos", "sofia"),
    ),
    Place(
        "uk", "Україна", ("Львів", "Одеса", "Київ"),
        _words("Оксана Дмитро Ірина Тарас Соломія"), _words("Шевченко Коваленко Бондар Ткаченко"), 2,
        ("oksana", "dmytro", "iryna", "taras", "solomiia"),
    ),
    Place(
        "ja", "日本", ("京都市", "札幌市", "福岡市"),
        _words("陽菜 悠真 結衣 蓮 さくら"), _words("佐藤 鈴木 高橋 田中"), 1,
        ("hina", "yuma", "yui", "ren", "sakura"),
    ),
    Place(
        "ar", "المغرب", ("الرباط", "فاس", "طنجة"),
        _words("ليلى يوسف سلمى كريم نور"), _words("العلوي بنعلي الفاسي الإدريسي"), 1,
        ("layla", "youssef", "salma", "karim", "nour"),
    ),
)  # fmt: skip

TRADES = ("Bakery", "Studio", "Bikes", "Books", "Garden", "Ceramics", "Theatre", "Coffee", "Cycles", "Atelier", "Yoga")
KINDS = (Kind.CONTACT, Kind.CONTACT, Kind.CONTACT, Kind.CONTACT, Kind.LEAD, Kind.LEAD, Kind.USER, Kind.ACCOUNT)


def people(count: int, seed: int = 2026) -> Iterator[Person]:
    """`count` people with different addresses; the same `seed` gives the same people."""
    # Not secret, only the same every time.
    chance = Random(seed)  # noqa: S311
    weights = [place.share for place in PLACES]
    for number in range(1, count + 1):
        yield _person(chance, chance.choices(PLACES, weights)[0], number)


def _person(chance: Random, place: Place, number: int) -> Person:
    index = chance.randrange(len(place.first))
    first, last, kind = place.first[index], chance.choice(place.last), chance.choice(KINDS)
    name = place.latin[index] if place.latin else f"{_ascii(first)}.{_ascii(last)}"
    organisation = f"{last.title()} {chance.choice(TRADES)}" if kind == Kind.ACCOUNT or chance.random() < 0.25 else ""
    domain = f"{_ascii(organisation)}.example" if organisation and _ascii(organisation) else "mail.example"
    is_account = kind == Kind.ACCOUNT
    return Person(
        kind=kind,
        address=f"{'post' if is_account else name}.{number}@{domain}",
        first_name="" if is_account else first,
        last_name="" if is_account else last,
        organisation=organisation,
        city=chance.choice(place.towns),
        country=place.country,
        language=place.language,
    )


def _ascii(text: str) -> str:
    spelled = text.lower().replace("ł", "l").replace("ß", "ss").replace("ø", "o")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
