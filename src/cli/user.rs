//! `relais user invite | list | renew | end`: accounts, without a session. Each act has its record; nobody is
//! recognised and nothing is confirmed from here.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use super::init::account;
use super::instance::{Instance, told};
use crate::config::Settings;
use crate::ids::ProfessionalId;
use crate::service::Author;
use crate::service::accounts::Invited;

/// The commands about accounts.
#[derive(Debug, clap::Subcommand)]
pub enum UserCommand {
    /// Invite quelqu'un et affiche son code, une seule fois
    #[command(after_help = "Exemple : relais user invite \"m.durand:Marie Durand:0601020304\"")]
    Invite {
        /// « identifiant:Nom:téléphone »
        #[arg(value_name = "ID:NOM:TÉL")]
        account: String,
    },
    /// Liste les comptes
    #[command(after_help = "Exemple : relais user list --json")]
    List {
        /// Pour une machine
        #[arg(long)]
        json: bool,
    },
    /// Donne un nouveau code (téléphone perdu, code jamais utilisé) et termine les connexions
    #[command(after_help = "Exemple : relais user renew m.durand")]
    Renew {
        /// Identifiant
        login: String,
    },
    /// Ferme un compte et termine ses connexions
    #[command(after_help = "Exemple : relais user end m.durand")]
    End {
        /// Identifiant
        login: String,
    },
}

fn by_login(instance: &Instance, author: Author<'_>, login: &str) -> Result<ProfessionalId> {
    let all = instance.app.professionals(author).map_err(told)?.into_inner();
    all.items
        .into_iter()
        .find(|p| p.login == login.to_lowercase())
        .map(|p| p.id)
        .ok_or_else(|| anyhow!("personne n'a l'identifiant `{login}` : voyez `relais user list`"))
}

fn show(out: &mut dyn Write, invited: &Invited) -> Result<()> {
    let code = invited.code.as_deref().unwrap_or_default();
    writeln!(out, "Code d'ouverture, montré cette seule fois : {code}")?;
    writeln!(
        out,
        "Valable 72 heures. Un collègue reconnaîtra ensuite la personne ; un autre confirmera son affectation."
    )?;
    Ok(())
}

/// Runs one command.
///
/// # Errors
/// What is refused, in words.
pub fn run(command: &UserCommand, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    let instance = Instance::open(settings)?;
    match command {
        UserCommand::Invite { account: text } => {
            let invited =
                instance.app.invite(Author::Console("user invite"), &account(text)?).map_err(told)?;
            show(out, &invited)?;
        }
        UserCommand::List { json } => {
            let all = instance.app.professionals(Author::Console("user list")).map_err(told)?.into_inner();
            if *json {
                serde_json::to_writer(&mut *out, &all)?;
                writeln!(out)?;
            } else {
                for p in &all.items {
                    writeln!(out, "{}\t{}\t{}", p.login, p.name, p.account.french())?;
                }
            }
        }
        UserCommand::Renew { login } => {
            let author = Author::Console("user renew");
            let id = by_login(&instance, author, login)?;
            show(out, &instance.app.renew_factor(author, &id).map_err(told)?)?;
        }
        UserCommand::End { login } => {
            let author = Author::Console("user end");
            let id = by_login(&instance, author, login)?;
            instance.app.end_account(author, &id).map_err(told)?;
            writeln!(out, "Compte fermé.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
