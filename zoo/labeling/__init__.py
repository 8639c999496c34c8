"""Labels an hour or a day of recordings: stretches, proposals for them, and the page on which a person decides."""
