"""What runs on other people's computers, with the user's own key: D-ID."""
