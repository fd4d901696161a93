//! `relais backup FILE`: a copy of the database, checked before it is called one.
//!
//! INVARIANT: the copy bears its name only once it was verified: page by page, record by record, and every key in it
//! opened under the key-encryption key of today. What is interrupted leaves a file that is called otherwise.
//! INVARIANT: it is recorded before it is made: a copy of everything is an export.
//! INVARIANT: the key-encryption key is never in it (it is not in the data folder).

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::instance::{Instance, told};
use crate::audit::note::VerifierKey;
use crate::audit::verify::{Failure, Report, Trust, verify};
use crate::config::{Database, Settings};
use crate::crypto::keyring::Keyring;
use crate::domain::record::{Action, ResourceKind};
use crate::service::Act;
use crate::startup::StartupError;
use crate::store::log::LogFile;
use crate::store::{DatabaseAddress, InstanceKind, file_holds};

/// What `relais backup` is told.
#[derive(Debug, clap::Args)]
pub struct BackupArguments {
    /// Fichier à écrire ; il ne doit pas exister
    #[arg(value_name = "FICHIER")]
    file: PathBuf,
}

/// What does not hold of a file, or all that was verified.
pub(super) struct Checked {
    pub report: Report,
    pub origin: String,
}

/// The file that a copy is until it was verified.
fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".en-preparation");
    PathBuf::from(name)
}

/// Verifies a database file: its pages, that it is of a real instance, that its keys open, and its whole log.
///
/// # Errors
/// Whatever cannot be read. A log that does not hold is in the report.
pub(super) fn check(
    path: &Path,
    keyring: &Keyring,
    vkeys: &[String],
    given: Option<&str>,
) -> Result<Checked> {
    if !file_holds(path).map_err(StartupError::from)? {
        bail!("le fichier `{}` est abîmé : prenez une autre sauvegarde", path.display());
    }
    let address = DatabaseAddress::Sqlite(path.to_owned());
    let mut log = LogFile::open(&address).map_err(StartupError::from)?;
    let kind = log.instance_value("kind").map_err(StartupError::from)?.unwrap_or_default();
    if kind != InstanceKind::Real.code() {
        bail!("`{}` n'est pas celui d'une instance réelle (`{kind}`)", path.display());
    }
    let texts = if vkeys.is_empty() { log.log_vkeys().map_err(StartupError::from)? } else { vkeys.to_vec() };
    let keys = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| VerifierKey::parse(line.trim()))
        .collect::<Result<Vec<_>, _>>()
        .context("la clé publique du journal")?;
    let first = keys.first().ok_or_else(|| anyhow!("cette base n'a pas de clé de journal"))?;
    let mut log = log.with_details(keyring).map_err(StartupError::from)?;
    let trust = Trust { origin: first.name(), keys: &keys, given };
    let report = verify(&mut log, &trust, &mut |_| {}).map_err(StartupError::from)?;
    Ok(Checked { report, origin: first.name().to_owned() })
}

/// A failure in words, with the number of records that hold.
pub(super) fn does_not_hold(failure: &Failure, report: &Report) -> anyhow::Error {
    anyhow!("le journal ne tient pas : {failure} ({} traces conformes avant cela)", report.records)
}

/// Makes sure that a name in a folder survives a power cut.
pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).with_context(|| format!("`{}`", folder.display()))
}

/// Makes the backup.
///
/// # Errors
/// When it cannot be made, or does not verify; nothing then bears its name.
pub fn run(arguments: &BackupArguments, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    let file = &arguments.file;
    if let Database::Postgres(_) = settings.database {
        bail!(
            "cette instance est sur PostgreSQL : sauvegardez-la avec `pg_dump --format=custom`, et vérifiez la copie avec `relais audit verify` (docs/operations.md)"
        );
    }
    if file.exists() {
        bail!("`{}` existe déjà et n'est jamais remplacé : donnez un autre nom", file.display());
    }
    let instance = Instance::open(settings)?;
    let app = &instance.app;
    // THREAT: a copy that nobody knows of. Its record stands in the log, and in the copy itself.
    let act = Act { action: Action::Export, resource: ResourceKind::Instance };
    app.console_read(act, "backup", |_| Ok(())).map_err(told)?;
    let checkpoint = app.checkpoint().map_err(told)?;
    let partial = unfinished(file);
    if partial.exists() {
        std::fs::remove_file(&partial).with_context(|| {
            format!("`{}` est resté d'un essai et ne peut pas être effacé", partial.display())
        })?;
    }
    let made = copy(&instance, &partial, &checkpoint.to_string());
    let report = match made {
        Ok(report) => report,
        Err(error) => {
            // Nothing that is not verified stays behind; when even this fails, its name says what it is.
            drop(std::fs::remove_file(&partial));
            return Err(error);
        }
    };
    // A link never replaces what is there, unlike a renaming.
    std::fs::hard_link(&partial, file)
        .with_context(|| format!("`{}` ne peut pas être écrit ; rien n'a été remplacé", file.display()))?;
    std::fs::remove_file(&partial).with_context(|| format!("`{}`", partial.display()))?;
    sync_folder_of(file)?;
    writeln!(out, "Sauvegarde écrite et vérifiée : {} ({} traces).", file.display(), report.records)?;
    writeln!(
        out,
        "La clé de chiffrement n'y est pas : sans elle, la sauvegarde n'ouvre rien. Gardez-la ailleurs."
    )?;
    writeln!(
        out,
        "Détruisez cette sauvegarde dans 35 jours au plus : jusque-là, ce qui est effacé ensuite peut encore y être lu avec la clé."
    )?;
    writeln!(out, "Point de contrôle du journal, à garder à part :\n\n{checkpoint}")?;
    Ok(ExitCode::SUCCESS)
}

fn copy(instance: &Instance, to: &Path, checkpoint: &str) -> Result<Report> {
    let store = instance.app.store();
    store.copy_to(to).map_err(StartupError::from)?;
    let checked = check(to, store.keyring(), &[], Some(checkpoint))?;
    match &checked.report.failure {
        Some(failure) => Err(does_not_hold(failure, &checked.report)),
        None => Ok(checked.report),
    }
}
