"""xl's config files: text to DomainConfig, with errors that point at the place."""
