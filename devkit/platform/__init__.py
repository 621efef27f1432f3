"""The local SOAR platform: starts a script as the real one does, and answers its calls."""
