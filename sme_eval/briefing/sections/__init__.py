"""What a page says, section by section, in no language: records in, blocks of phrases out."""
