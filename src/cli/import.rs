//! `relais import organisations | professionals FILE.csv`: bulk loads with a report line by line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::instance::{Instance, told};
use crate::config::Settings;
use crate::service::Author;
use crate::service::import::{Mode, Report};

/// A file of rows that people wrote: more than this is not one.
const FILE_LIMIT: u64 = 1 << 20;

/// What can be imported.
#[derive(Debug, clap::Subcommand)]
pub enum ImportCommand {
    /// Structures : code,name,kind,territory,telephone,missions (« code:titre;code:titre »)
    #[command(after_help = "Exemple : relais import organisations structures.csv --dry-run")]
    Organisations(ImportArguments),
    /// Personnes et affectations : login,name,telephone,organisation,mission,profession,function,secrecy,secrecy_basis,secrecy_until,starts
    #[command(
        after_help = "Exemple : relais import professionals personnes.csv\n\nLes codes d'ouverture sont montrés une seule fois. Chaque personne est ensuite reconnue par un collègue, chaque affectation confirmée par un autre."
    )]
    Professionals(ImportArguments),
}

/// The file, and how to treat it.
#[derive(Debug, clap::Args)]
pub struct ImportArguments {
    /// Fichier CSV avec une ligne d'en-tête
    file: PathBuf,
    /// Lit et juge sans rien écrire
    #[arg(long)]
    dry_run: bool,
    /// Rapport pour une machine
    #[arg(long)]
    json: bool,
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let unreadable =
        || format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", path.display());
    let size = std::fs::metadata(path).with_context(unreadable)?.len();
    anyhow::ensure!(size <= FILE_LIMIT, "`{}` dépasse 1 Mio : coupez le fichier", path.display());
    std::fs::read(path).with_context(unreadable)
}

fn print(report: &Report, name: &str, out: &mut dyn Write) -> Result<()> {
    for wrong in &report.wrong {
        writeln!(out, "{name}, ligne {}, colonne {} : {}", wrong.line, wrong.column, wrong.message)?;
    }
    for line in &report.lines {
        writeln!(out, "ligne {} : {}", line.line, line.done)?;
        for warning in &line.warnings {
            writeln!(out, "  attention : {}", warning.message)?;
        }
    }
    for one in &report.invited {
        let code = one.invited.code.as_deref().unwrap_or_default();
        writeln!(out, "code de {} ({}) : {code}", one.name, one.login)?;
    }
    if !report.wrong.is_empty() {
        writeln!(out, "{} chose(s) à corriger ; rien n'a été importé.", report.wrong.len())?;
    } else if report.written {
        writeln!(out, "{} ligne(s) importée(s).", report.lines.len())?;
    } else {
        writeln!(out, "{} ligne(s) bonne(s) ; rien n'a été écrit (essai).", report.lines.len())?;
    }
    Ok(())
}

/// Runs one import; the exit code is 0 only when nothing is wrong.
///
/// # Errors
/// A file or an instance that cannot be read.
pub fn run(command: &ImportCommand, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    let (ImportCommand::Organisations(arguments) | ImportCommand::Professionals(arguments)) = command;
    let bytes = bytes_of(&arguments.file)?;
    let name = arguments
        .file
        .file_name()
        .map_or_else(|| arguments.file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let mode = if arguments.dry_run { Mode::DryRun } else { Mode::Write };
    let instance = Instance::open(settings)?;
    let report = match command {
        ImportCommand::Organisations(_) => {
            instance.app.import_organisations(Author::Console("import organisations"), &name, &bytes, mode)
        }
        ImportCommand::Professionals(_) => {
            instance.app.import_professionals(Author::Console("import professionals"), &name, &bytes, mode)
        }
    }
    .map_err(told)?;
    if arguments.json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        print(&report, &name, out)?;
    }
    Ok(if report.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
