// The component's own few words. What a notice says is its author's.
const WORDS = {
  en: {
    notices: "Notices",
    levels: { info: "Information", success: "Good news", warning: "Warning", error: "Important" },
    dismiss: "Dismiss",
    acknowledge: "I have read this",
    dismissal: "Dismissed.",
    acknowledgement: "Thank you.",
    failed: "This could not be saved. Please try again.",
    count: (number) => (number === 1 ? "1 notice" : `${number} notices`),
    more: (number) => `Show ${number} more`,
  },
  fr: {
    notices: "Messages",
    levels: { info: "Information", success: "Bonne nouvelle", warning: "Avertissement", error: "Important" },
    dismiss: "Fermer",
    acknowledge: "J’ai lu ce message",
    dismissal: "Message fermé.",
    acknowledgement: "Merci.",
    failed: "L’enregistrement a échoué. Veuillez réessayer.",
    count: (number) => (number === 1 ? "1 message" : `${number} messages`),
    more: (number) => (number === 1 ? "Afficher 1 autre" : `Afficher ${number} autres`),
  },
  nl: {
    notices: "Berichten",
    levels: { info: "Informatie", success: "Goed nieuws", warning: "Waarschuwing", error: "Belangrijk" },
    dismiss: "Sluiten",
    acknowledge: "Ik heb dit gelezen",
    dismissal: "Gesloten.",
    acknowledgement: "Bedankt.",
    failed: "Dit kon niet worden opgeslagen. Probeer het opnieuw.",
    count: (number) => (number === 1 ? "1 bericht" : `${number} berichten`),
    more: (number) => `Nog ${number} tonen`,
  },
  sv: {
    notices: "Meddelanden",
    levels: { info: "Information", success: "Goda nyheter", warning: "Varning", error: "Viktigt" },
    dismiss: "Stäng",
    acknowledge: "Jag har läst detta",
    dismissal: "Stängt.",
    acknowledgement: "Tack.",
    failed: "Det gick inte att spara. Försök igen.",
    count: (number) => (number === 1 ? "1 meddelande" : `${number} meddelanden`),
    more: (number) => `Visa ${number} till`,
  },
};

export function wordsFor(language) {
  return WORDS[String(language).slice(0, 2).toLowerCase()] ?? WORDS.en;
}
