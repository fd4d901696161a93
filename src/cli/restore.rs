//! `relais restore FILE`: puts a backup into an empty folder, once it was verified.
//!
//! INVARIANT: nothing is written over: a folder that holds anything is refused.
//! INVARIANT: a file that does not verify, or does not continue the checkpoint given, is not put in place.
//! INVARIANT: a restore is recorded in the log that it brings back, and ends every session.
//!
//! INVARIANT: where the loss of what came after is declared (`--accept-gap`), it stands in the log before anything else, or
//! nothing is in place.
//!
//! A restore is an older state: this room says so, and cannot bring back what came after.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufRead, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::ask::{ask, ask_hidden};
use super::backup::{Checked, check, does_not_hold, sync_folder_of};
use super::instance::{Instance, told};
use crate::audit::verify::Flaw;
use crate::config::{DATABASE_FILE, Database, Settings};
use crate::crypto::password::Password;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::service::losses::{LossMotive, Proving};
use crate::service::{Act, Change, FactorCode, Login};
use crate::startup::keyring;
use crate::store::InstanceKind;

/// What `relais restore` is told.
#[derive(Debug, clap::Args)]
pub struct RestoreArguments {
    /// Sauvegarde écrite par `relais backup`
    #[arg(value_name = "FICHIER")]
    file: PathBuf,
    /// Un point de contrôle gardé ailleurs : le journal de la sauvegarde doit le contenir
    #[arg(long, value_name = "FICHIER")]
    checkpoint: Option<PathBuf>,
    /// La clé publique du journal que vous gardez ; option répétable [défaut : celle de la sauvegarde]
    #[arg(long, value_name = "CLÉ")]
    vkey: Vec<String>,
    /// Déclare, à deux, que ce que le point de contrôle atteste de plus est perdu : le journal continue sous un autre nom
    #[arg(long, requires = "checkpoint", requires = "motive")]
    accept_gap: bool,
    /// Pourquoi, en une phrase : reste dans le détail chiffré de la trace
    #[arg(long, value_name = "PHRASE", requires = "accept_gap")]
    motive: Option<String>,
}

/// Makes the folder, or accepts an empty one; says whether it was made.
fn empty_folder(data: &Path) -> Result<bool> {
    match std::fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(false),
            Some(_) => bail!(
                "le dossier `{}` n'est pas vide : rien n'y est jamais remplacé. Donnez-en un autre avec --data",
                data.display()
            ),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            DirBuilder::new()
                .mode(0o700)
                .recursive(true)
                .create(data)
                .with_context(|| format!("le dossier `{}` ne peut pas être créé", data.display()))?;
            Ok(true)
        }
        Err(e) => Err(e).with_context(|| format!("le dossier `{}` ne peut pas être lu", data.display())),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut source = std::fs::File::open(from).with_context(|| {
        format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", from.display())
    })?;
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .with_context(|| format!("`{}` ne peut pas être créé", to.display()))?;
    std::io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .with_context(|| format!("`{}` n'a pas pu être copié", from.display()))
}

fn verified(checked: &Checked) -> Result<()> {
    match &checked.report.failure {
        None => Ok(()),
        Some(failure) if failure.flaw == Flaw::CheckpointBeyond => bail!(
            "cette sauvegarde est plus ancienne que le point de contrôle fourni : {} traces seulement. Cherchez une sauvegarde plus récente. S'il n'y en a pas, deux personnes peuvent déclarer la perte : relancez avec --accept-gap (docs/operations.md)",
            checked.report.records
        ),
        Some(failure) => Err(does_not_hold(failure, &checked.report)),
    }
}

/// Restores.
///
/// # Errors
/// When the folder is not empty, or the file does not verify; nothing is then in place.
pub fn run(
    arguments: &RestoreArguments,
    settings: &Settings,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let data = settings.data.as_path();
    let target = data.join(DATABASE_FILE);
    match &settings.database {
        Database::Sqlite(path) if *path == target => {}
        Database::Sqlite(_) | Database::Postgres(_) => bail!(
            "`restore` remet une base SQLite dans son dossier : retirez le réglage `database`. Avec PostgreSQL : pg_restore (docs/operations.md)"
        ),
    }
    let given = match &arguments.checkpoint {
        Some(file) => Some(
            std::fs::read_to_string(file)
                .with_context(|| format!("`{}` ne peut pas être lu", file.display()))?,
        ),
        None => None,
    };
    let motive = match (arguments.accept_gap, &arguments.motive) {
        (true, Some(text)) => {
            Some(LossMotive::parse(text).map_err(|e| anyhow!("--motive : {}", e.french()))?)
        }
        _no_loss => None,
    };
    // Before anything is written: without its key, a backup opens nothing.
    let keys = keyring(settings, InstanceKind::Real)?;
    let made = empty_folder(data)?;
    let partial = data.join("relais.db.en-preparation");
    let checked = copy(&arguments.file, &partial)
        // A loss is beyond the backup: that it continues the checkpoint is then not asked, but judged below.
        .and_then(|()| {
            let given = given.as_deref().filter(|_| motive.is_none());
            check(&partial, &keys, &arguments.vkey, given)
        })
        .and_then(|checked| verified(&checked).map(|()| checked));
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => {
            drop(std::fs::remove_file(&partial));
            if made {
                drop(std::fs::remove_dir(data));
            }
            return Err(error);
        }
    };
    std::fs::rename(&partial, &target).with_context(|| format!("`{}`", target.display()))?;
    sync_folder_of(&target)?;
    if let (Some(motive), Some(attested)) = (&motive, &given) {
        // Before the first record of the restored log.
        if let Err(error) = declared(settings, attested, motive, input, out) {
            for name in ["relais.db", "relais.db-wal", "relais.db-shm"] {
                drop(std::fs::remove_file(data.join(name)));
            }
            if made {
                drop(std::fs::remove_dir(data));
            }
            return Err(error);
        }
    }
    let instance = Instance::open(settings)?;
    let act = Act { action: Action::Maintain, resource: ResourceKind::Instance };
    instance
        .app
        .console_change(act, "restore", |_| {
            let row = RowRef { table: "session", id: "*".to_owned(), version: 0 };
            Ok(Change::new("restore").step(row, |tx, at| tx.sessions_end_everyone(at)))
        })
        .map_err(told)?;
    told_to_operator(&checked, given.is_some() || motive.is_some(), out)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks one of the two who they are.
fn proving(who: &str, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<Proving> {
    writeln!(out, "{who}")?;
    let login = ask(input, out, "Identifiant")?;
    let password = ask_hidden(input, out, "Mot de passe")?;
    let code = ask(input, out, "Code à six chiffres, ou code de secours")?;
    let refused = |e: &dyn std::fmt::Display| anyhow!("{who} : {e}");
    Ok(Proving {
        login: Login::parse(&login).map_err(|e| refused(&e.french()))?,
        password: Password::typed(password.to_string())
            .map_err(|_| anyhow!("{who} : ce n'est pas un mot de passe"))?,
        code: FactorCode::parse(&code).map_err(|e| refused(&e.french()))?,
    })
}

/// Two people declare the loss, in the log that came back.
fn declared(
    settings: &Settings,
    attested: &str,
    motive: &LossMotive,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<()> {
    let instance = Instance::open(settings)?;
    writeln!(
        out,
        "Déclarer la perte de la fin du journal demande deux personnes, avec les accès qu'elles avaient dans cette sauvegarde."
    )?;
    let one = proving("Première personne : administration.", input, out)?;
    let two = proving("Seconde personne : contrôle, ou protection des données.", input, out)?;
    let gap = instance.app.loss_accept(attested, motive, &one, &two).map_err(told)?;
    writeln!(out, "\n{gap}.\n")?;
    writeln!(
        out,
        "Remettez à qui vérifie, par un autre chemin que le réseau, la nouvelle clé publique, et à chaque témoin la ligne à ajouter à ses journaux :\n\n{}\n",
        gap.log_key
    )?;
    writeln!(
        out,
        "Gardez le point de contrôle fourni, et tout export ou reçu de ce temps-là : ils disent si davantage manque que ce qui est déclaré."
    )?;
    Ok(())
}

fn told_to_operator(checked: &Checked, compared: bool, out: &mut dyn Write) -> Result<()> {
    writeln!(
        out,
        "Sauvegarde remise et vérifiée : {} traces, journal {}.",
        checked.report.records, checked.origin
    )?;
    if !compared {
        writeln!(
            out,
            "Elle n'a été comparée à aucun point de contrôle gardé ailleurs : une sauvegarde plus ancienne ou refaite se verrait seulement ainsi (--checkpoint)."
        )?;
    }
    writeln!(
        out,
        "C'est un état plus ancien. Tout ce qui a été fait depuis est perdu. Avant d'ouvrir le service :"
    )?;
    for line in [
        "- demandez les retraits et refus d'accord recueillis depuis, et enregistrez-les à nouveau ;",
        "- refermez les comptes et les affectations terminés depuis (`relais user end`) ;",
        "- lancez `relais jobs run` : ce qui était effacé depuis l'est à nouveau ;",
        "- faites-le savoir à qui garde des points de contrôle : les plus récents ne seront plus prolongés.",
    ] {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "Toutes les connexions ont été terminées. Réglages (relais.toml) et certificats ne sont pas dans la sauvegarde : remettez-les, puis `relais serve`."
    )?;
    Ok(())
}
