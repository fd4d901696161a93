//! Golden files that people review: the matrix in words and the grid of cells.

use relais::charter::print;

use crate::support::{demo, path};

fn same_as(relative: &str, text: &str) {
    let file = path(relative);
    if std::env::var_os("RELAIS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&file, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        golden == text,
        "{relative} has drifted; review, then: RELAIS_BLESS=1 cargo test --test policy golden"
    );
}

#[test]
fn golden_the_matrix_in_words() {
    let (charter, matrix) = demo();
    same_as("docs/charter-matrix.md", &print::markdown(matrix, Some(charter)));
}

#[test]
fn golden_the_grid_of_cells() {
    same_as("tests/policy/grid.csv", &print::grid(&demo().1));
}
