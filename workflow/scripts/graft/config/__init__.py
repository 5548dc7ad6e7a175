"""What a user may set: a module of pydantic models for each part of the configuration."""
