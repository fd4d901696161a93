//! `relais keys list | create | rotate`: the key-encryption key, seen, made and changed; `log-rotate | log-retire`: the
//! key that signs the log.
//!
//! INVARIANT: no secret is ever printed: a key-encryption key is named, of a signing key the public half is shown.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::instance::{Instance, told};
use crate::config::Settings;
use crate::crypto::SystemChance;
use crate::crypto::kek::{FileKek, KekPlacement, KekProvider};
use crate::startup::StartupError;

/// The commands about keys.
#[derive(Debug, clap::Subcommand)]
pub enum KeysCommand {
    /// Dit combien de clés chaque clé de chiffrement ouvre
    #[command(after_help = "Exemple : relais --data /srv/relais keys list --json")]
    List {
        /// Pour une machine
        #[arg(long)]
        json: bool,
    },
    /// Crée un fichier de clé de chiffrement, hors du dossier de données ; rien n'est encore changé
    #[command(after_help = "Exemple : relais --data /srv/relais keys create /etc/relais/kek-2027")]
    Create {
        /// Chemin du nouveau fichier
        file: PathBuf,
    },
    /// Passe toutes les clés sous la nouvelle clé de chiffrement ; peut être interrompu et relancé
    #[command(
        after_help = "Dans l'ordre :\n  1. relais --data /srv/relais keys create /etc/relais/kek-2027\n  2. dans relais.toml : kek_file = \"/etc/relais/kek-2027\", kek_file_previous = \"/etc/relais/kek\" ; relancez le serveur\n  3. relais --data /srv/relais keys rotate\n  4. retirez kek_file_previous et relancez ; gardez l'ancienne clé tant qu'une sauvegarde en a besoin (35 jours), puis détruisez-la\n\nLe serveur peut tourner pendant l'étape 3. Interrompu, relancez : ce qui est fait reste fait."
    )]
    Rotate,
    /// Donne au journal une nouvelle clé de signature ; l'ancienne signe encore à côté, jusqu'à `log-retire`
    #[command(
        after_help = "Ensuite : remettez la nouvelle clé publique à qui vérifie (`relais audit checkpoint --vkey-only`). Elle est aussi dans une trace, sous un point de contrôle que l'ancienne clé signe."
    )]
    LogRotate,
    /// Détruit l'ancienne clé de signature du journal : seule la nouvelle signe
    #[command(after_help = "Exemple : relais --data /srv/relais keys log-retire")]
    LogRetire,
}

fn list(settings: &Settings, json: bool, out: &mut dyn Write) -> Result<()> {
    let instance = Instance::open(settings)?;
    let current = instance.app.store().keyring().kek_id().to_string();
    let all = instance.app.store().snapshot().and_then(|mut s| s.keys_by_kek());
    let all = all.map_err(StartupError::from)?;
    if json {
        let keys: Vec<serde_json::Value> = all
            .iter()
            .map(|(id, n)| serde_json::json!({"kek": id, "keys": n, "current": *id == current}))
            .collect();
        writeln!(out, "{}", serde_json::Value::from(keys))?;
        return Ok(());
    }
    for (id, n) in &all {
        let note = if *id == current { "la clé actuelle" } else { "à changer : `relais keys rotate`" };
        writeln!(out, "{id}  {n} clé(s)  {note}")?;
    }
    Ok(())
}

/// Runs one command.
///
/// # Errors
/// What is refused, in words.
pub fn run(command: &KeysCommand, settings: &Settings, out: &mut dyn Write) -> Result<ExitCode> {
    match command {
        KeysCommand::List { json } => list(settings, *json, out)?,
        KeysCommand::Create { file } => {
            let made = FileKek::create(file, KekPlacement::OutsideOf(&settings.data), &SystemChance::new())
                .map_err(StartupError::from)?;
            writeln!(out, "Clé {} créée : {}. Gardez-en une copie ailleurs.", made.kek_id(), file.display())?;
            writeln!(
                out,
                "Ensuite : `kek_file` = ce fichier, `kek_file_previous` = l'ancien ; relancez le serveur, puis `relais keys rotate`."
            )?;
        }
        KeysCommand::LogRotate => {
            let vkey = Instance::open(settings)?.app.log_key_rotate().map_err(told)?;
            writeln!(out, "Nouvelle clé publique du journal, à remettre à qui vérifie :\n\n{vkey}\n")?;
            writeln!(
                out,
                "Les points de contrôle portent maintenant deux signatures. Quand chacun a la nouvelle clé : `relais keys log-retire`."
            )?;
        }
        KeysCommand::LogRetire => {
            let vkey = Instance::open(settings)?.app.log_key_retire().map_err(told)?;
            writeln!(out, "L'ancienne clé de signature est détruite. Seule celle-ci signe :\n\n{vkey}")?;
        }
        KeysCommand::Rotate => {
            let instance = Instance::open(settings)?;
            let mut shown = Ok(());
            let done = instance.app.keys_rotate(&mut |n| {
                if shown.is_ok() {
                    shown = writeln!(out, "{n} clé(s) re-scellée(s)…");
                }
            });
            shown?;
            let done = done.map_err(told)?;
            if done.rewrapped == 0 {
                writeln!(out, "Toutes les clés sont déjà sous la clé actuelle.")?;
            } else {
                writeln!(out, "C'est fini : {} clé(s) re-scellée(s).", done.rewrapped)?;
            }
            writeln!(
                out,
                "Retirez `kek_file_previous` et relancez le serveur. L'ancienne clé ouvre encore les sauvegardes faites avant : détruisez-la quand la dernière a expiré (35 jours au plus)."
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
