"""The field's data sets in their published layouts, read as they are; and isolated characters."""
