"""The REST API: resources in one file each, declared once for validation, rights, and the OpenAPI page."""
