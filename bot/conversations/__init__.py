"""What people write to the bot: a few words that it knows itself, and everything else for the owner's agent."""
