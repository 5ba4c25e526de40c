"""Colors: measured and moved in OKLab, by palette, by reference or by words; on pictures, and while sampling."""
