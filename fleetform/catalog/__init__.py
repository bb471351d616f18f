"""The catalog: YAML with positions, overlaid per environment, validated into frozen models."""
