"""What several rules read resources with."""
