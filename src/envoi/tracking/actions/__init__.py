"""Change what is known of readers: store hits, label them, register links, unsubscribe and subscribe again."""
