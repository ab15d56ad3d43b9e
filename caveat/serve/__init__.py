"""A page to which a study is uploaded and on which its result is looked at."""
