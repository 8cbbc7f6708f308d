"""The local stack: what stands in for AWS, Pulumi's AWS plugin and Airtable on one machine."""
