"""From a written record to pages in Chinese and English: record → blocks without a language → document → HTML and PDF.

Nothing here computes. A number on a page is a reference into the record, printed by one of the formats of `numbers`; a
sentence is a template in `text/zh.toml` and `text/en.toml`, which hold the same keys with the same placeholders and no digit.
"""
