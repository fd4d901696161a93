//! The command line: one file per command; errors say what to do next.
//!
//! Exit codes: 0 done, 1 something was wrong and was said, 2 the command itself was not understood, 3 (`audit verify`) all
//! that is there holds, and records are declared lost.

mod ask;
pub mod audit;
pub mod backup;
pub mod certs;
pub mod charter;
pub mod demo;
mod french;
pub mod import;
pub mod init;
pub mod instance;
pub mod jobs;
pub mod keys;
#[cfg(test)]
mod losses_tests;
pub mod migrate;
mod misunderstood;
#[cfg(test)]
mod operations_tests;
pub mod organisation;
pub mod restore;
pub mod serve;
pub mod user;
pub mod witness;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::crypto::SystemChance;

/// Where an instance keeps what it owns, when nothing else is said.
const DATA: &str = "./data";

/// Coordination des parcours individuels : chacun lit ce que la charte permet et ce que la famille a accepté
#[derive(Debug, Parser)]
#[command(
    name = "relais",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "Exemples :\n  relais certs make --name pre.ville.example\n  relais --data /srv/relais serve\n\n`relais COMMANDE --help` explique chaque commande."
)]
struct Arguments {
    /// Dossier de données de l'instance [défaut : ./data]
    #[arg(long, global = true, value_name = "DOSSIER", env = "RELAIS_DATA", hide_env = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Crée un territoire de démonstration, une fois, et le sert en HTTPS
    #[command(
        after_help = "Exemple : relais demo\n          relais demo --data /tmp/essai --listen 127.0.0.1:9443 --json\n\nDossier par défaut : ./demo-data. Une instance réelle est refusée."
    )]
    Demo(demo::DemoArguments),
    /// Sert l'instance en HTTPS jusqu'à Ctrl-C ou SIGTERM
    #[command(
        after_help = "Exemple : relais --data /srv/relais serve\n\nRéglages : relais.toml dans le dossier de données, puis RELAIS_LISTEN, RELAIS_PUBLIC_NAME, RELAIS_DATABASE,\nRELAIS_KEK_FILE… Un réglage inconnu est refusé."
    )]
    Serve,
    /// Crée une instance réelle : base de données, première structure, deux administrateurs
    #[command(
        after_help = "Exemple : RELAIS_KEK_FILE=/etc/relais/kek relais --data /srv/relais init --create-key --organisation \"Ville de Val-d'Orme\" --territory \"Val-d'Orme\" --telephone 0102030405 --admin \"a.martin:Anne Martin:0601020304\" --admin \"b.petit:Bruno Petit:0601020305\""
    )]
    Init(init::InitArguments),
    /// Met la base de données au niveau de cette version du programme
    #[command(
        after_help = "Exemple : relais --data /srv/relais migrate\n\nArrêtez le serveur et faites une sauvegarde avant."
    )]
    Migrate,
    /// Certificats du serveur
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Journal des accès : vérifier, exporter, emporter des preuves
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Comptes : inviter, lister, remplacer un code, fermer
    #[command(subcommand)]
    User(user::UserCommand),
    /// Écrit une sauvegarde vérifiée de l'instance ; le serveur peut tourner
    #[command(
        after_help = "Exemple : relais --data /srv/relais backup /mnt/sauvegardes/relais-2027-01-13.db\n\nLa clé de chiffrement n'y est jamais : gardez-en une copie ailleurs. Avec PostgreSQL : pg_dump (docs/operations.md)."
    )]
    Backup(backup::BackupArguments),
    /// Remet une sauvegarde dans un dossier vide, après l'avoir vérifiée
    #[command(
        after_help = "Exemple : RELAIS_KEK_FILE=/etc/relais/kek relais restore relais-2027-01-13.db --data /srv/relais --checkpoint mars.txt\n\nS'il n'existe rien de plus récent et que des témoins ont vu la suite, deux personnes déclarent la perte au clavier (administration, puis contrôle ou protection des données) :\n          relais restore relais-2027-01-13.db --data /srv/relais --checkpoint dernier-cosigné.txt --accept-gap --motive \"disque perdu le 14 janvier\"\nLa perte est dite ensuite par toutes les vérifications, toutes les pages et tous les rapports (docs/operations.md)."
    )]
    Restore(restore::RestoreArguments),
    /// Clés : voir, créer, changer la clé de chiffrement ; changer celle qui signe le journal
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Tâches du service (durées de conservation, points de contrôle) : lister, lancer
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Structures : ajouter, lister
    #[command(subcommand)]
    Organisation(organisation::OrganisationCommand),
    /// Chargements depuis un fichier CSV, avec essai et rapport ligne par ligne
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Chartes : relire, comparer, imprimer, décider, publier
    #[command(subcommand)]
    Charter(charter::CharterCommand),
}

/// The command line, as it is understood and explained.
fn command() -> clap::Command {
    french::explained(Arguments::command())
}

impl Arguments {
    /// Reads a command line.
    fn read<T: Into<OsString> + Clone>(words: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let mut command = command();
        let matches = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// Every variable of the environment that is text; a setting that is none is refused by its absence.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The settings of the instance in `data`.
///
/// # Errors
/// Everything that is wrong with them, at once.
pub fn settings(data: &Path) -> anyhow::Result<Settings> {
    Ok(Settings::read(data, &environment())?)
}

fn dispatch(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let asked = arguments.data;
    let data = asked.clone().unwrap_or_else(|| PathBuf::from(DATA));
    match arguments.command {
        Command::Demo(command) => {
            let data = asked.unwrap_or_else(|| PathBuf::from(demo::DATA));
            demo::run(&command, &data, settings(&data)?, out)
        }
        Command::Serve => serve::run(&settings(&data)?),
        Command::Migrate => migrate::run(&settings(&data)?, out),
        Command::Certs(command) => certs::run(command, &data, &SystemClock, &SystemChance::new(), out),
        Command::Audit(command) => audit::run(&command, &data, out, &mut std::io::stderr()),
        Command::Init(arguments) => init::run(&arguments, &settings(&data)?, out),
        Command::Backup(arguments) => backup::run(&arguments, &settings(&data)?, out),
        Command::Restore(arguments) => {
            restore::run(&arguments, &settings(&data)?, &mut std::io::stdin().lock(), out)
        }
        Command::Keys(command) => keys::run(&command, &settings(&data)?, out),
        Command::Jobs(command) => jobs::run(&command, || settings(&data), out),
        Command::User(command) => user::run(&command, &settings(&data)?, out),
        Command::Organisation(command) => organisation::run(&command, &settings(&data)?, out),
        Command::Import(command) => import::run(&command, &settings(&data)?, out),
        Command::Charter(charter::CharterCommand::Publish { dir }) => {
            charter::publish(&dir, &settings(&data)?, out)
        }
        Command::Charter(command) => charter::run(&command, out),
    }
}

/// What to print of an error: what happened, then why, without saying anything twice.
fn told(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            if !said.is_empty() {
                said.push_str(" : ");
            }
            said.push_str(&cause);
        }
    }
    said
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed output is nobody's error.
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    drop(error.print());
                    ExitCode::SUCCESS
                }
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    drop(error.print());
                    ExitCode::from(2)
                }
                _misunderstood => {
                    drop(write!(std::io::stderr(), "{}", misunderstood::told(&error)));
                    ExitCode::from(2)
                }
            };
        }
    };
    let mut out = std::io::stdout().lock();
    match dispatch(arguments, &mut out) {
        Ok(code) => code,
        Err(error) => {
            drop(out.flush());
            // Nobody is left to be told when this fails.
            drop(writeln!(std::io::stderr(), "relais : {}", told(&error)));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_data_goes_before_or_after() {
        command().debug_assert();
        for words in [["relais", "--data", "d", "serve"], ["relais", "serve", "--data", "d"]] {
            assert_eq!(Arguments::read(words).unwrap().data, Some(PathBuf::from("d")));
        }
        assert!(Arguments::read(["relais", "sreve"]).is_err());
    }

    #[test]
    fn every_command_that_the_readme_names_is_there() {
        for words in [
            &["relais", "demo", "--json"][..],
            &["relais", "audit", "verify", "--checkpoint", "f"],
            &["relais", "audit", "checkpoint"],
            &["relais", "audit", "witness", "--name", "w", "--log", "k", "--data", "d"],
            &["relais", "audit", "verify", "--policy", "p"],
            &["relais", "audit", "export", "--format", "csv"],
            &["relais", "audit", "report", "--month", "2027-03"],
            &["relais", "charter", "check", "d"],
            &["relais", "charter", "decide", "f.csv"],
            &["relais", "charter", "publish", "d"],
            &["relais", "certs", "check"],
            &["relais", "serve"],
            &["relais", "migrate"],
            &["relais", "backup", "f.db"],
            &["relais", "restore", "f.db", "--checkpoint", "c"],
            &["relais", "restore", "f.db", "--checkpoint", "c", "--accept-gap", "--motive", "m"],
            &["relais", "keys", "rotate"],
            &["relais", "jobs", "run", "stays"],
            &["relais", "jobs", "list"],
        ] {
            assert!(Arguments::read(words.iter().copied()).is_ok(), "{words:?}");
        }
    }

    #[test]
    fn an_error_is_told_with_its_causes_once() {
        let error = anyhow::anyhow!("disque plein").context("rien n'a été écrit");
        assert_eq!(told(&error), "rien n'a été écrit : disque plein");
        let twice = anyhow::anyhow!("disque plein").context("rien n'a été écrit (disque plein)");
        assert_eq!(told(&twice), "rien n'a été écrit (disque plein)");
    }
}
