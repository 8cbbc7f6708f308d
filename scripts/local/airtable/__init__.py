"""Parts of the Airtable stand-in; `scripts.local.airtable_server` puts them together."""
