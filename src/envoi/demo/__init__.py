"""A believable organisation to try Envoi with, and the whole main job without a browser."""
