from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "envoi.broadcasts"
    label = "broadcasts"

    def ready(self) -> None:
        from envoi.broadcasts import channels, listeners  # noqa: PLC0415 -- models are not loaded before
        from envoi.broadcasts.composer import BroadcastComposer  # noqa: PLC0415
        from envoi.broadcasts.origin import BroadcastOrigin  # noqa: PLC0415
        from envoi.delivery import composers  # noqa: PLC0415
        from envoi.tracking import origins  # noqa: PLC0415

        listeners.register()
        composers.register(channels.EMAIL.composer, BroadcastComposer())
        origins.register(channels.EMAIL.composer, BroadcastOrigin())
