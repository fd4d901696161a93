//! The program `relais`: nothing but a door to [`relais::cli`].

fn main() {}
