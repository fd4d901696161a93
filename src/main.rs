//! The program `relais`: nothing but a door to [`relais::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    relais::cli::run()
}
