from django.urls import path

from envoi.console.settings.sending import overview, portions, receivers, senders, signing, transports

urlpatterns = [
    path("", overview.sending, name="sending"),
    path("transports/new/", transports.new, name="transport-new"),
    path("transports/<int:pk>/", transports.transport, name="transport"),
    path("transports/<int:pk>/test-message/", transports.test_message, name="transport-test"),
    path("transports/<int:pk>/pause/", transports.pause, name="transport-pause"),
    path("transports/<int:pk>/resumption/", transports.resumption, name="transport-resumption"),
    path("transports/<int:pk>/portions/", portions.portions, name="transport-portions"),
    path("transports/<int:pk>/portion/", portions.portion, name="transport-portion"),
    path("transports/<int:pk>/removal/", transports.removal, name="transport-removal"),
    path("transports/<int:pk>/provider-limits/", receivers.limits, name="provider-limits"),
    path("transports/<int:pk>/slowdown-end/", receivers.slowdown_end, name="slowdown-end"),
    path("transports/<int:pk>/provider-limit-removal/", receivers.removal, name="provider-limit-removal"),
    path("senders/new/", senders.new, name="sender-new"),
    path("senders/warm-up/", senders.warm_up_preview, name="warm-up-preview"),
    path("senders/<int:pk>/", senders.sender, name="sender"),
    path("senders/<int:pk>/default/", senders.default, name="sender-default"),
    path("senders/<int:pk>/removal/", senders.removal, name="sender-removal"),
    path("signing/", signing.keys, name="dkim-keys"),
    path("signing/new/", signing.new, name="dkim-key-new"),
    path("signing/<int:pk>/", signing.key, name="dkim-key"),
    path("signing/<int:pk>/check/", signing.check, name="dkim-key-check"),
    path("signing/<int:pk>/activation/", signing.activation, name="dkim-key-activation"),
    path("signing/<int:pk>/deactivation/", signing.deactivation, name="dkim-key-deactivation"),
    path("signing/<int:pk>/removal/", signing.removal, name="dkim-key-removal"),
]
