"""Django's settings, made from the environment (`environment.py`) and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from envoi.config import environment

try:
    ENVOI_DATA = environment.data_folder()
    SECRET_KEY = environment.secret_key(ENVOI_DATA)
    DATABASES = {"default": environment.database(ENVOI_DATA)}
    ENVOI_BASE_URL = environment.base_url()
    ENVOI_JOURNAL_SYNC = environment.journal_sync()
    ENVOI_LEASE_SECONDS = environment.lease_seconds()
except environment.SettingError as error:
    sys.exit(f"envoi: {error}")

PACKAGE = Path(__file__).resolve().parent.parent
POSTGRESQL = DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
SECURE = ENVOI_BASE_URL.startswith("https:")

DEBUG = False
HOST = urlsplit(ENVOI_BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = sorted({f"[{HOST}]" if ":" in HOST else HOST, "localhost", "127.0.0.1", "[::1]"})
ROOT_URLCONF = "envoi.config.urls"
WSGI_APPLICATION = "envoi.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_tasks",
    "ninja",
    "csp",
    *(["procrastinate.contrib.django"] if POSTGRESQL else []),
    "envoi.core",
    "envoi.instance",
    "envoi.accounts",
    "envoi.contacts",
    "envoi.audiences",
    "envoi.content",
    "envoi.delivery",
    "envoi.tracking",
    "envoi.bounces",
    "envoi.notices",
    "envoi.customers",
    "envoi.broadcasts",
    "envoi.reports",
    "envoi.console",
    "envoi.public",
    "envoi.api",
]

MIDDLEWARE = [
    "envoi.public.middleware.readers",
    "envoi.api.middleware.programs",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "envoi.console.middleware.preferences",
    "envoi.console.middleware.own_password_first",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "console/templates"],  # before the sign-in library's own
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "envoi.console.context.shell",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "envoi.accounts.adapter.AccountAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
MFA_ADAPTER = "envoi.accounts.adapter.MFAAdapter"
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off (RFC 6238, 5.2)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Envoi"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [ENVOI_BASE_URL]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("nl", _("Dutch")), ("sv", _("Swedish"))]
FORMAT_MODULE_PATH = ["envoi.config.formats"]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ENVOI_DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+/envoi/dist/.+\.[0-9A-Z]{8}\.(js|css)$"  # the bundler's hashed names
MEDIA_ROOT = ENVOI_DATA / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
# A million characters of content, each up to twelve bytes when percent-encoded; the form says where its limit is.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

TASKS = {
    "default": {
        "BACKEND": "envoi.core.tasks.queue.QueueEngine" if POSTGRESQL else "envoi.core.tasks.embedded.EmbeddedEngine",
        "QUEUES": ["default", "sending", "personal"],
    }
}

# Django's own logging keeps failures of pages to itself unless DEBUG is on; here they go to standard error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "envoi": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # A 404 or 405 is the visitor's affair, and addresses of readers' pages carry their tokens.
        "django.request": {"level": "ERROR"},
    },
}
