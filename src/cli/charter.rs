//! `relais charter check | diff | matrix | decide | publish`: read, compare, print, decide; publish in an instance.
//!
//! Invariants: nothing is written to the output before the whole input has been read and judged; every message about a
//! file names line and column.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::instance::{Instance, told};
use crate::charter::reader::{Dialect, Field, Table, table};
use crate::charter::{Charter, CharterError, Finding, Findings, Matrix, diff as differences, judge, print};
use crate::config::Settings;
use crate::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use crate::domain::day::french_date;
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
use crate::service::Author;

/// The commands about charters; only `publish` needs an instance.
#[derive(Debug, clap::Subcommand)]
pub enum CharterCommand {
    /// Relit le dossier d'une charte, le confronte au plafond de la loi et justifie chaque case
    #[command(after_help = "Exemple : relais charter check policies/charters/demonstration")]
    Check {
        /// Dossier qui contient charter.toml et policy.csv
        #[arg(value_name = "DOSSIER")]
        dir: PathBuf,
    },
    /// Dit en français ce qui change d'une charte à la suivante
    #[command(
        after_help = "Exemple : relais charter diff policies/charters/demonstration policies/charters/demonstration-v2"
    )]
    Diff {
        /// La charte en vigueur
        #[arg(value_name = "AVANT")]
        a: PathBuf,
        /// La suivante
        #[arg(value_name = "APRÈS")]
        b: PathBuf,
    },
    /// Imprime le tableau de partage, à lire
    #[command(
        after_help = "Exemple : relais charter matrix --charter policies/charters/demonstration > tableau.md"
    )]
    Matrix {
        /// Dossier de la charte ; à défaut, le seul plafond de la loi
        #[arg(long, value_name = "DOSSIER")]
        charter: Option<PathBuf>,
        /// md : des mots à lire ; csv : la grille des cases
        #[arg(long, value_enum, value_name = "FORME", default_value_t = MatrixFormat::Md)]
        format: MatrixFormat,
    },
    /// Publie une charte dans cette instance : la première tout de suite, une suivante trente jours à l'avance
    #[command(after_help = "Exemple : relais --data /srv/relais charter publish charte/")]
    Publish {
        /// Dossier qui contient charter.toml et policy.csv
        #[arg(value_name = "DOSSIER")]
        dir: PathBuf,
    },
    /// Lit des lignes de faits et les récrit avec `decision` et `reason` en plus
    #[command(
        after_help = "Colonnes, dans n'importe quel ordre : recipient_profession, recipient_secrecy, author_secrecy, category, purpose, accord,\nfamily_released, statute. Les autres colonnes sont recopiées.\n\nExemple : relais charter decide policies/decision-table.csv > decisions.csv"
    )]
    Decide {
        /// Fichier CSV avec une ligne d'en-tête
        #[arg(value_name = "FICHIER")]
        file: PathBuf,
        /// Dossier de la charte ; à défaut, le seul plafond de la loi
        #[arg(long, value_name = "DOSSIER")]
        charter: Option<PathBuf>,
    },
}

/// How a matrix is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MatrixFormat {
    Md,
    Csv,
}

/// Runs one command; `out` is standard output.
///
/// # Errors
/// What the command says of its input.
pub fn run(command: &CharterCommand, out: &mut dyn Write) -> Result<ExitCode> {
    match command {
        CharterCommand::Check { dir } => check(dir, out),
        CharterCommand::Diff { a, b } => diff(a, b, out),
        CharterCommand::Matrix { charter, format } => matrix(charter.as_deref(), *format, out),
        CharterCommand::Decide { file, charter } => decide(file, charter.as_deref(), out),
        CharterCommand::Publish { .. } => {
            Err(anyhow::anyhow!("la publication demande une instance : --data DOSSIER"))
        }
    }
}

/// Publishes in the instance of these settings, beside a running server or without one.
///
/// # Errors
/// A charter that is refused or published already; an instance that does not open.
pub fn publish(dir: &Path, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    let charter = Charter::from_folder(dir)?;
    let instance = Instance::open(settings)?;
    let (_, effective) =
        instance.app.charter_publish(Author::Console("charter publish"), &charter).map_err(told)?;
    writeln!(out, "« {} », version {}, est publiée.", charter.title(), charter.version())?;
    writeln!(
        out,
        "Elle prend effet le {}. Structures et personnes peuvent la signer dès maintenant.",
        french_date(effective.paris_day())
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Lints and proves a charter. Findings are the answer of this command: they go to the output, with a failing exit code.
///
/// # Errors
/// A folder that cannot be read, or an output that cannot be written.
pub fn check(dir: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    let charter = match Charter::from_folder(dir) {
        Ok(charter) => charter,
        Err(CharterError::Refused(findings)) => {
            let count = findings.iter().count();
            writeln!(out, "{findings}")?;
            writeln!(out, "{count} chose(s) à corriger ; la charte n'est pas publiable.")?;
            return Ok(ExitCode::FAILURE);
        }
        Err(other) => return Err(other.into()),
    };
    let published = charter.publish()?;
    writeln!(out, "« {} », version {} : rien à corriger.", charter.title(), charter.version())?;
    writeln!(out, "Règles plus strictes que le plafond : {}.", charter.rules().len())?;
    writeln!(out, "Chaque case a été calculée de trois façons ; toutes disent la même chose.")?;
    writeln!(out, "Empreinte du texte : {}", charter.text_hash())?;
    writeln!(out, "Empreinte de la politique : {}", published.policy_hash())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what changes from `a` to `b`.
///
/// # Errors
/// A charter that is refused, or an output that cannot be written.
pub fn diff(a: &Path, b: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    let read = |dir: &Path| Charter::from_folder(dir).with_context(|| format!("charte `{}`", dir.display()));
    let sentences = differences(&read(a)?, &read(b)?);
    if sentences.is_empty() {
        writeln!(out, "Les deux chartes disent la même chose.")?;
    }
    for sentence in sentences {
        writeln!(out, "- {sentence}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the matrix.
///
/// # Errors
/// A charter that is refused, or an output that cannot be written.
pub fn matrix(dir: Option<&Path>, format: MatrixFormat, out: &mut dyn Write) -> Result<ExitCode> {
    let charter = dir.map(Charter::from_folder).transpose()?;
    let ceiling = Matrix::ceiling()?;
    let matrix = charter.as_ref().map_or(&ceiling, Charter::matrix);
    let text = match format {
        MatrixFormat::Md => print::markdown(matrix, charter.as_ref()),
        MatrixFormat::Csv => print::grid(matrix),
    };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Decides every row of a file.
///
/// # Errors
/// Every finding of the file, and then nothing has been written.
pub fn decide(file: &Path, dir: Option<&Path>, out: &mut dyn Write) -> Result<ExitCode> {
    let charter = dir.map(Charter::from_folder).transpose()?;
    let ceiling = Matrix::ceiling()?;
    let matrix = charter.as_ref().map_or(&ceiling, Charter::matrix);
    let bytes = std::fs::read(file).with_context(|| {
        format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", file.display())
    })?;
    let name =
        file.file_name().map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let decided = decide_bytes(&name, &bytes, matrix)?;
    out.write_all(&decided)?;
    Ok(ExitCode::SUCCESS)
}

const COLUMNS: [&str; 8] = [
    "recipient_profession",
    "recipient_secrecy",
    "author_secrecy",
    "category",
    "purpose",
    "accord",
    "family_released",
    "statute",
];

/// Decides every row of a text; the whole answer, or no answer.
///
/// # Errors
/// Every finding, in the order of the file.
pub fn decide_bytes(name: &str, bytes: &[u8], matrix: &Matrix) -> Result<Vec<u8>, CharterError> {
    let t = match table(name, bytes, Dialect::ROWS) {
        Ok(t) => t,
        Err(found) => return Err(refused(found)),
    };
    let columns = match t.columns(COLUMNS) {
        Ok(columns) => columns,
        Err(found) => return Err(refused(found)),
    };
    let mut found = Vec::new();
    for field in &t.header {
        if field.text == "decision" || field.text == "reason" {
            found.push(
                t.at(field, "cette colonne est celle que la commande ajoute : renommez-la ou retirez-la"),
            );
        }
    }
    let mut answers = Vec::new();
    for row in &t.rows {
        let facts = columns.map(|at| row.fields.get(at));
        match read_facts(&t, facts, &mut found) {
            Some(Some(facts)) => {
                let judged = judge(matrix, &facts);
                answers.push((row, judged.permitted, judged.reason));
            }
            // A profession that is in no list has no row in any charter.
            Some(None) => answers.push((row, false, Reason::CeilingNever)),
            None => {}
        }
    }
    if !found.is_empty() {
        return Err(refused(found));
    }
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let header = t.header.iter().map(|f| f.text.as_str()).chain(["decision", "reason"]);
    let written = writer.write_record(header).and_then(|()| {
        answers.iter().try_for_each(|(row, permitted, reason)| {
            let decision = if *permitted { "permit" } else { "deny" };
            writer.write_record(row.fields.iter().map(|f| f.text.as_str()).chain([decision, reason.code()]))
        })
    });
    // Writing to memory fails only when a row has another width than the header, which `table` has refused.
    let broken = |said: String| refused(vec![Finding::new(name, 1, 1, said)]);
    written.map_err(|error| broken(error.to_string()))?;
    writer.into_inner().map_err(|error| broken(error.to_string()))
}

fn refused(found: Vec<Finding>) -> CharterError {
    match Findings::refuse_if_any(found) {
        Err(refused) => refused,
        Ok(()) => Finding::new("?", 1, 1, "fichier refusé").into(),
    }
}

/// The eight facts of a row. `None`: a finding was added. `Some(None)`: the profession is in no list of ours.
fn read_facts(
    t: &Table,
    fields: [Option<&Field>; 8],
    found: &mut Vec<Finding>,
) -> Option<Option<TableFacts>> {
    fn known<T>(
        t: &Table,
        field: &Field,
        read: Option<T>,
        list: &str,
        found: &mut Vec<Finding>,
    ) -> Option<T> {
        if read.is_none() {
            let shown: String = field.text.chars().take(80).collect();
            found.push(t.at(field, format!("« {shown} » : attendu {list}")));
        }
        read
    }
    fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> String {
        all.iter().map(|&one| code(one)).collect::<Vec<_>>().join(", ")
    }
    let [
        Some(profession),
        Some(recipient),
        Some(author),
        Some(category),
        Some(purpose),
        Some(accord),
        Some(released),
        Some(statute),
    ] = fields
    else {
        return None;
    };
    let secrecy = codes(Secrecy::ALL, Secrecy::code);
    let recipient_secrecy = known(t, recipient, Secrecy::parse(&recipient.text).ok(), &secrecy, found);
    let author_secrecy = known(t, author, Secrecy::parse(&author.text).ok(), &secrecy, found);
    let category = known(
        t,
        category,
        Category::parse(&category.text).ok(),
        &codes(Category::ALL, Category::code),
        found,
    );
    let purpose =
        known(t, purpose, Purpose::parse(&purpose.text).ok(), &codes(Purpose::ALL, Purpose::code), found);
    let accord =
        known(t, accord, AccordFact::parse(&accord.text), &codes(AccordFact::ALL, AccordFact::code), found);
    let released_fact = match released.text.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let family_released = known(t, released, released_fact, "yes, no", found);
    let statute = known(
        t,
        statute,
        StatuteFact::parse(&statute.text),
        &codes(StatuteFact::ALL, StatuteFact::code),
        found,
    );
    let (recipient_secrecy, author_secrecy, category, purpose, accord, family_released, statute) =
        (recipient_secrecy?, author_secrecy?, category?, purpose?, accord?, family_released?, statute?);
    // Only the profession may be unknown: territories have trades that no list foresees, and they receive nothing.
    match Profession::parse(&profession.text) {
        Err(_) => Some(None),
        Ok(recipient_profession) => Some(Some(TableFacts {
            recipient_profession,
            recipient_secrecy,
            author_secrecy,
            category,
            purpose,
            accord,
            family_released,
            statute,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "recipient_profession,recipient_secrecy,author_secrecy,category,purpose,accord,family_released,statute";
    const ROW: &str = "teacher,not_bound,not_bound,schooling,coordination,opening,no,none";

    fn decided(text: &str) -> String {
        String::from_utf8(decide_bytes("f.csv", text.as_bytes(), &Matrix::ceiling().unwrap()).unwrap())
            .unwrap()
    }

    fn places(bytes: &[u8]) -> Vec<(u32, u32)> {
        match decide_bytes("f.csv", bytes, &Matrix::ceiling().unwrap()) {
            Err(CharterError::Refused(found)) => found.iter().map(|f| (f.line(), f.column())).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn other_columns_pass_through_in_any_order_whatever_their_quoting() {
        let text = format!("\u{feff}note,{HEADER},expected\r\n\r\n\"a, \"\"b\"\"\nc\",{ROW},\r\n");
        assert_eq!(
            decided(&text),
            format!("note,{HEADER},expected,decision,reason\n\"a, \"\"b\"\"\nc\",{ROW},,permit,accord\n")
        );
        let swapped = "statute,family_released,accord,purpose,category,author_secrecy,recipient_secrecy,recipient_profession\n\
                       none,no,opening,coordination,schooling,not_bound,not_bound,teacher\n";
        assert!(decided(swapped).ends_with("teacher,permit,accord\n"));
        assert_eq!(decided(HEADER), format!("{HEADER},decision,reason\n"));
    }

    #[test]
    fn an_unknown_profession_is_never_and_any_other_unknown_word_is_an_error_with_its_place() {
        for profession in ["notaire", "Teacher", "", " teacher"] {
            let text = format!("{HEADER}\n{}\n", ROW.replace("teacher", profession));
            assert!(decided(&text).ends_with(",deny,ceiling_never\n"), "{profession}");
        }
        let words = ["teacher", "sworn", "sworn", "cat", "why", "yes", "oui", "partial"];
        for at in 1..8 {
            let mut row: Vec<&str> = ROW.split(',').collect();
            row[at] = words[at];
            let text = format!("{HEADER}\n{ROW}\n\n{}\n", row.join(","));
            assert_eq!(places(text.as_bytes()), vec![(4, u32::try_from(at + 1).unwrap())]);
            // The profession is unknown as well: the other word is an error all the same.
            row[0] = "notaire";
            assert_eq!(places(format!("{HEADER}\n{}\n", row.join(",")).as_bytes()).len(), 1);
        }
    }

    #[test]
    fn a_wrong_file_is_refused_whole() {
        assert_eq!(places(b""), vec![(1, 1)]);
        assert_eq!(places(b"\n\n"), vec![(1, 1)]);
        assert_eq!(places(HEADER.replace(",statute", "").as_bytes()), vec![(1, 8)]);
        assert_eq!(places(format!("{HEADER},accord\n").as_bytes()), vec![(1, 9)]);
        assert_eq!(places(format!("{HEADER},reason\n").as_bytes()), vec![(1, 9)]);
        assert_eq!(places(format!("{HEADER}\n{ROW},x\n").as_bytes()), vec![(2, 9)]);
        assert_eq!(places(format!("{HEADER}\n{ROW}\n\"teacher\n").as_bytes()), vec![(3, 1)]);
        let mut bytes = format!("{HEADER}\n{ROW}\nteacher,").into_bytes();
        bytes.push(0xFF);
        assert_eq!(places(&bytes), vec![(3, 2)]);
    }

    #[test]
    fn nothing_is_written_when_anything_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rows.csv");
        std::fs::write(&file, format!("{HEADER}\n{ROW}\n{}\n", ROW.replace("opening", "maybe"))).unwrap();
        let mut out = Vec::new();
        let error = decide(&file, None, &mut out).unwrap_err();
        assert!(out.is_empty());
        assert!(
            error.to_string().starts_with("rows.csv, ligne 3, colonne 6 (accord) : « maybe »"),
            "{error}"
        );
        assert!(decide(&dir.path().join("none.csv"), None, &mut out).is_err());
    }

    #[test]
    fn the_commands_answer_over_folders() {
        let demo = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/charters").join(name);
        let mut out = Vec::new();
        diff(&demo("demonstration"), &demo("demonstration-v2"), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("- la mission locale ne lira plus le logement\n"));
        let mut out = Vec::new();
        matrix(Some(&demo("demonstration")), MatrixFormat::Md, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("Val-d'Orme"));
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(demo("demonstration").join("charter.toml"), dir.path().join("charter.toml")).unwrap();
        std::fs::write(dir.path().join("policy.csv"), "p, teacher, not_bound, family, *, A, deny\n").unwrap();
        let mut out = Vec::new();
        let code = check(dir.path(), &mut out).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        assert!(String::from_utf8(out).unwrap().contains("policy.csv, ligne 1, colonne 6 (cell)"));
    }
}
