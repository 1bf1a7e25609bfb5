"""The mathematics under the methods, by the names of the field."""
