//! The charter as people read it: a Markdown matrix in words for jurists, and the grid of cells as CSV for reviews.
//!
//! Both are golden files (`docs/charter-matrix.md`, `tests/policy/grid.csv`): a test fails when they drift.

use super::folder::Charter;
use super::french;
use super::matrix::{Clause, Matrix, MatrixRow};
use super::sheet::Pack;
use crate::domain::cell::{Cell, Need};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

const NEEDS: [Need; 4] = [Need::Opening, Need::Category, Need::Informed, Need::Never];

/// The rows of a matrix, in the order of the professions; a contested secret reads as none.
pub fn rows(matrix: &Matrix) -> impl Iterator<Item = (Profession, Secrecy, &MatrixRow)> {
    Profession::ALL.iter().flat_map(move |&profession| {
        [Secrecy::Bound, Secrecy::NotBound]
            .into_iter()
            .filter_map(move |secrecy| matrix.row(profession, secrecy).map(|row| (profession, secrecy, row)))
    })
}

/// The matrix in words; `charter` adds its texts, and marks what it tightens.
#[must_use]
pub fn markdown(matrix: &Matrix, charter: Option<&Charter>) -> String {
    let mut out = Vec::new();
    match charter {
        Some(charter) => {
            out.push(format!("# {}", charter.title()));
            out.push(format!(
                "Version {}. Empreinte de la politique : `{}`.",
                charter.version(),
                matrix.policy_hash()
            ));
        }
        None => {
            out.push("# Le plafond".to_owned());
            out.push(format!("Sans charte locale. Empreinte de la politique : `{}`.", matrix.policy_hash()));
        }
    }
    out.push(
        "Ce que chaque profession peut **au plus** recevoir. La charte ouvre une possibilité ; l'accord de la famille, le but \
         et la durée décident ensuite de chaque partage. Quand celui qui écrit tient un secret et que celui qui lit n'y est pas \
         tenu, la famille valide en plus les mots exacts (sauf l'identité et le contact). Un statut discuté se lit à la ligne \
         « tenu à la discrétion, pas au secret ». Une profession qui n'est pas ici ne reçoit rien."
            .to_owned(),
    );
    out.push(
        "**⚖** : peut aussi reposer sur le partage prévu par la loi pour protéger un enfant (CASF L226-2-2), entre deux \
         professionnels tenus au secret, dans le but « Protéger l'enfant ». **▲** : la charte est ici plus stricte que le plafond."
            .to_owned(),
    );
    out.push("## Par profession".to_owned());
    let mut nothing = Vec::new();
    for (profession, secrecy, row) in rows(matrix) {
        let name = format!("{} · {}", profession.french(), secrecy.french().to_lowercase());
        if row.all_never() {
            nothing.push(format!("- {name}"));
            continue;
        }
        out.push(format!("### {name}"));
        let mut lines = Vec::new();
        for need in NEEDS {
            let subjects: Vec<String> = Category::ALL
                .iter()
                .filter(|&&category| row.cell(category).need() == need)
                .map(|&category| {
                    let cell = row.cell(category);
                    let law = if statute_possible(matrix, secrecy, category, cell) { " ⚖" } else { "" };
                    let tightened = match row.clause(category) {
                        Clause::Charter { .. } => " ▲",
                        Clause::Ceiling => "",
                    };
                    format!("{}{law}{tightened}", category.french())
                })
                .collect();
            if !subjects.is_empty() {
                lines.push(format!("- **{}** : {}.", french::heading(need), subjects.join(" ; ")));
            }
        }
        out.push(lines.join("\n"));
    }
    out.push("### Ne reçoivent jamais rien ici".to_owned());
    out.push(nothing.join("\n"));
    purposes(matrix, &mut out);
    if let Some(charter) = charter {
        packs(charter, &mut out);
    }
    letters(matrix, &mut out);
    out.join("\n\n") + "\n"
}

/// LAW: CASF L226-2-2, between persons bound by secrecy, for the purpose `protection` only: elsewhere an open cell opens nothing.
#[must_use]
pub fn statute_possible(matrix: &Matrix, secrecy: Secrecy, category: Category, cell: Cell) -> bool {
    secrecy == Secrecy::Bound && cell.statute_open() && matrix.purpose_carries(Purpose::Protection, category)
}

fn purposes(matrix: &Matrix, out: &mut Vec<String>) {
    out.push("## Par but".to_owned());
    out.push(
        "Un accord sert un seul but. Un sujet que le but ne porte pas n'est jamais partagé pour lui."
            .to_owned(),
    );
    let mut lines = vec!["| But | Porte | Ne porte pas |".to_owned(), "|---|---|---|".to_owned()];
    for &purpose in Purpose::ALL {
        let side = |carried: bool| {
            let subjects: Vec<&str> = Category::ALL
                .iter()
                .filter(|&&category| matrix.purpose_carries(purpose, category) == carried)
                .map(|category| category.french())
                .collect();
            if subjects.is_empty() { "—".to_owned() } else { subjects.join(" ; ") }
        };
        lines.push(format!("| {} | {} | {} |", purpose.french(), side(true), side(false)));
    }
    out.push(lines.join("\n"));
}

fn packs(charter: &Charter, out: &mut Vec<String>) {
    out.push("## Packs".to_owned());
    let mut lines = Vec::new();
    for pack in Pack::ALL {
        let subjects: Vec<&str> = charter.pack(pack).iter().map(|category| category.french()).collect();
        lines.push(format!("- **{}** : {}.", pack.purpose().french(), subjects.join(" ; ")));
    }
    out.push(lines.join("\n"));
}

fn letters(matrix: &Matrix, out: &mut Vec<String>) {
    out.push("## Le même tableau en lettres".to_owned());
    out.push(
        "A : accord général · C : accord qui nomme le sujet · CI : accord sur le texte exact · N : jamais · \\* : partage prévu \
         par la loi possible (il l'est aussi sur A), si les deux professionnels sont tenus au secret et si le but le porte."
            .to_owned(),
    );
    let names: Vec<&str> = Category::ALL.iter().map(|category| category.french()).collect();
    let mut lines = vec![
        format!("| Profession | Secret | {} |", names.join(" | ")),
        format!("|---|---|{}", "---|".repeat(names.len())),
    ];
    for (profession, secrecy, row) in rows(matrix) {
        let cells: Vec<String> = Category::ALL
            .iter()
            .map(|&category| row.cell(category).to_string().replace('*', "\\*"))
            .collect();
        let bound = match secrecy {
            Secrecy::Bound => "tenu",
            Secrecy::Contested | Secrecy::NotBound => "non tenu",
        };
        lines.push(format!("| {} | {bound} | {} |", profession.french(), cells.join(" | ")));
    }
    out.push(lines.join("\n"));
}

/// The grid: one line per (profession, secrecy, purpose), one column per category; `N` where the purpose does not carry it.
#[must_use]
pub fn grid(matrix: &Matrix) -> String {
    let names: Vec<&str> = Category::ALL.iter().map(|category| category.code()).collect();
    let mut out = format!("profession,secrecy,purpose,{}\n", names.join(","));
    for (profession, secrecy, row) in rows(matrix) {
        for &purpose in Purpose::ALL {
            let cells: Vec<String> = Category::ALL
                .iter()
                .map(|&category| {
                    let carried = matrix.purpose_carries(purpose, category);
                    let cell = if carried { row.cell(category) } else { Cell::NEVER };
                    // `A*` and `A` are the same answer: the letter alone is printed.
                    if cell.need() == Need::Opening { "A".to_owned() } else { cell.to_string() }
                })
                .collect();
            out.push_str(&format!("{profession},{secrecy},{purpose},{}\n", cells.join(",")));
        }
    }
    out
}
