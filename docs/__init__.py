"""Pages, and the programs that make pictures, the gallery, the manual page and the site."""
