"""What a study is answered with, on the input's own grid."""
