"""A tor of our own, or one that runs already: started, watched, asked, and ended with us."""
