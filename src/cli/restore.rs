//! `relais restore FILE`: puts a backup into an empty folder, once it was verified.
//!
//! INVARIANT: nothing is written over: a folder that holds anything is refused. What an interrupted restore left is known
//! by its names, and taken away by the next one when nothing else is there.
//! INVARIANT: a file that does not verify, or does not continue the checkpoint given, is not put in place.
//! INVARIANT: the copy bears a name that no server opens until everything is in it: where the loss of what came after is
//! declared (`--accept-gap`), the declaration, before anything else; then the record of the restore, and the end of every
//! session. The last step is the renaming: a process that is killed at any moment leaves nothing in place.
//!
//! A restore is an older state: this room says so, and cannot bring back what came after.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{BufRead, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::ask::{ask, ask_hidden};
use super::backup::{Checked, check, does_not_hold, sync_folder_of};
use super::instance::{Instance, told};
use crate::audit::Gap;
use crate::audit::verify::Flaw;
use crate::config::{DATABASE_FILE, Database, Settings};
use crate::crypto::password::Password;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::service::losses::{LossMotive, Proving};
use crate::service::{Act, Change, FactorCode, Login};
use crate::startup::{StartupError, keyring};
use crate::store::{InstanceKind, StoreError};

/// What the copy is called until it is in place, and what the engine keeps beside it.
const PREPARED: &str = "relais.db.restauration-en-cours";
const PREPARED_WAL: &str = "relais.db.restauration-en-cours-wal";
const PREPARED_SHM: &str = "relais.db.restauration-en-cours-shm";
const PREPARED_JOURNAL: &str = "relais.db.restauration-en-cours-journal";
const OURS: [&str; 4] = [PREPARED, PREPARED_WAL, PREPARED_SHM, PREPARED_JOURNAL];

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

/// The copy on its way, in a folder of which nobody else restores into; taken away unless it is put in place.
struct Preparing<'a> {
    data: &'a Path,
    /// Whether the folder is ours too.
    made: bool,
    placed: bool,
    _alone: File,
}

impl<'a> Preparing<'a> {
    /// Makes the folder, or accepts one that is empty but for what an interrupted restore left.
    fn within(data: &'a Path) -> Result<Self> {
        let made = match std::fs::metadata(data) {
            Ok(_) => false,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                DirBuilder::new()
                    .mode(0o700)
                    .recursive(true)
                    .create(data)
                    .with_context(|| format!("le dossier `{}` ne peut pas être créé", data.display()))?;
                true
            }
            Err(e) => {
                return Err(e)
                    .with_context(|| format!("le dossier `{}` ne peut pas être lu", data.display()));
            }
        };
        let unreadable = || format!("le dossier `{}` ne peut pas être lu", data.display());
        let alone = File::open(data).with_context(unreadable)?;
        match alone.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "une autre restauration est en cours dans `{}` : attendez qu'elle finisse, ou arrêtez-la",
                data.display()
            ),
            Err(TryLockError::Error(e)) => return Err(e).with_context(unreadable),
        }
        for entry in std::fs::read_dir(data).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let left_over = OURS.iter().any(|name| entry.file_name() == *name)
                && entry.file_type().with_context(unreadable)?.is_file();
            if !left_over {
                bail!(
                    "le dossier `{}` n'est pas vide : rien n'y est jamais remplacé. Donnez-en un autre avec --data",
                    data.display()
                );
            }
        }
        let preparing = Self { data, made, placed: false, _alone: alone };
        preparing.take_away(&OURS).with_context(|| {
            format!("ce qu'un essai a laissé dans `{}` ne peut pas être effacé", data.display())
        })?;
        Ok(preparing)
    }

    fn file(&self) -> PathBuf {
        self.data.join(PREPARED)
    }

    fn take_away(&self, names: &[&str]) -> std::io::Result<()> {
        names.iter().try_for_each(|name| match std::fs::remove_file(self.data.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _gone => Ok(()),
        })
    }

    /// The last step. Nothing may have it open any more.
    fn put_in_place(mut self, target: &Path) -> Result<()> {
        let journal = self.data.join(PREPARED_WAL);
        // INVARIANT: all of it is in the one file that gets the name.
        if std::fs::metadata(&journal).is_ok_and(|found| found.len() > 0) {
            bail!("`{}` n'est pas vide : la base n'a pas pu être refermée. Relancez", journal.display());
        }
        self.take_away(&[PREPARED_WAL, PREPARED_SHM]).with_context(|| format!("`{}`", journal.display()))?;
        std::fs::rename(self.file(), target).with_context(|| format!("`{}`", target.display()))?;
        self.placed = true;
        sync_folder_of(target)
    }
}

impl Drop for Preparing<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // When even this fails, its name says what it is, and the next restore takes it away.
            drop(self.take_away(&OURS));
            if self.made {
                drop(std::fs::remove_dir(self.data));
            }
        }
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
    let preparing = Preparing::within(data)?;
    let prepared = preparing.file();
    copy(&arguments.file, &prepared)?;
    // A loss is beyond the backup: that it continues the checkpoint is then not asked, but judged below.
    let compared = given.as_deref().filter(|_| motive.is_none());
    let checked = check(&prepared, &keys, &arguments.vkey, compared).map_err(|e| of_before(e, arguments))?;
    verified(&checked)?;
    let mut there = settings.clone();
    there.database = Database::Sqlite(prepared);
    let instance = Instance::open(&there)?;
    let gap = match (&motive, &given) {
        // Before the first record of the restored log.
        (Some(motive), Some(attested)) => Some(declared(&instance, attested, motive, input, out)?),
        _no_loss => None,
    };
    let act = Act { action: Action::Maintain, resource: ResourceKind::Instance };
    instance
        .app
        .console_change(act, "restore", |_| {
            let row = RowRef { table: "session", id: "*".to_owned(), version: 0 };
            Ok(Change::new("restore").step(row, |tx, at| tx.sessions_end_everyone(at)))
        })
        .map_err(told)?;
    // Everything is in the one file that gets the name.
    instance.app.store().forget_destroyed().map_err(StartupError::from)?;
    drop(instance);
    preparing.put_in_place(&target)?;
    told_to_operator(&checked, gap.as_ref(), given.is_some(), out)?;
    Ok(ExitCode::SUCCESS)
}

/// A backup of an older program, with what to do about it: nothing is in place that could be brought to the level.
fn of_before(error: anyhow::Error, arguments: &RestoreArguments) -> anyhow::Error {
    match error.downcast_ref::<StartupError>() {
        Some(StartupError::Store(StoreError::MigrationsPending(n))) => anyhow!(
            "cette sauvegarde est d'avant une mise à jour de Relais ({n} mise(s) à niveau). Mettez-en une copie à niveau, puis remettez cette copie : `install -D -m 600 {} NIVEAU/relais.db`, `relais --data NIVEAU migrate`, puis la même commande avec `NIVEAU/relais.db` pour fichier. Effacez ensuite le dossier NIVEAU",
            arguments.file.display()
        ),
        _other => error,
    }
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

/// Two people declare the loss, in the log that comes back.
fn declared(
    instance: &Instance,
    attested: &str,
    motive: &LossMotive,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<Gap> {
    let app = &instance.app;
    let loss = app.loss_of(attested).map_err(told)?;
    writeln!(
        out,
        "Déclarer la perte de la fin du journal demande deux personnes, ici, avec les accès qu'elles avaient dans cette sauvegarde. Un code à six chiffres change toutes les 30 secondes : chacun est vérifié dès qu'il est tapé. Rien n'est en place avant la fin."
    )?;
    let one = proving("Première personne : administration.", input, out)?;
    let one = app.loss_prove_administrator(&one).map_err(told)?;
    writeln!(out, "Reconnue.")?;
    let two = proving("Seconde personne : contrôle, ou protection des données.", input, out)?;
    let two = app.loss_prove_overseer(&two).map_err(told)?;
    writeln!(out, "Reconnue.")?;
    app.loss_declare(&loss, motive, &one, &two).map_err(told)
}

fn told_to_operator(checked: &Checked, gap: Option<&Gap>, compared: bool, out: &mut dyn Write) -> Result<()> {
    if let Some(gap) = gap {
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
    }
    // The name of today: of the loss declared now, or else of the last one that the backup tells.
    let name = gap.or(checked.report.gaps.last()).map_or(checked.origin.as_str(), |gap| gap.origin.as_str());
    writeln!(out, "Sauvegarde remise et vérifiée : {} traces, journal {name}.", checked.report.records)?;
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
