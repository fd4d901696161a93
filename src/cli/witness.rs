//! `relais audit witness`: on another machine, follows the logs of others and cosigns what continues them.
//!
//! INVARIANT: it opens no database of Relais and holds no key of one: what it knows of a log is its size and root.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::audit::note::VerifierKey;
use crate::clock::SystemClock;
use crate::crypto::SystemChance;
use crate::service::cosigning::Witness;
use crate::startup::{listen, start_telemetry, tls_of};
use crate::web::witness::run as serve;

/// What `relais audit witness` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct WitnessArguments {
    /// Adresse d'écoute
    #[arg(long, value_name = "ADRESSE", default_value = "127.0.0.1:8444")]
    listen: SocketAddr,
    /// Nom du témoin, une fois pour toutes, au premier démarrage (par exemple departement.example/temoin)
    #[arg(long, value_name = "NOM")]
    name: Option<String>,
    /// Clé publique d'un journal à suivre (`relais audit checkpoint --vkey-only`) ; option répétable
    #[arg(long = "log", value_name = "CLÉ")]
    logs: Vec<String>,
    /// Fichier de clés publiques, une par ligne ; # commence une remarque
    #[arg(long = "logs", value_name = "FICHIER")]
    file: Option<PathBuf>,
    /// Une seule ligne pour les programmes, au lieu des explications
    #[arg(long)]
    json: bool,
}

fn logs(arguments: &WitnessArguments) -> Result<Vec<VerifierKey>> {
    let mut lines = arguments.logs.clone();
    if let Some(file) = &arguments.file {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("`{}` ne peut pas être lu : vérifiez le chemin et les droits", file.display())
        })?;
        lines.extend(text.lines().map(str::to_owned));
    }
    let mut keys: Vec<VerifierKey> = Vec::new();
    for line in lines.iter().map(|line| line.trim()).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let key = VerifierKey::parse(line)
            .with_context(|| format!("`{line}` n'est pas la clé publique d'un journal"))?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Runs the witness until it is told to stop.
///
/// # Errors
/// When it cannot start, or breaks down.
pub fn run(arguments: &WitnessArguments, data: &Path, out: &mut dyn Write) -> Result<ExitCode> {
    // The certificate and the form of log lines, like those of a server; nothing else of the settings is of concern here.
    let settings = super::settings(data)?;
    start_telemetry(&settings);
    std::fs::create_dir_all(data).with_context(|| format!("le dossier `{}`", data.display()))?;
    let witness = Witness::open(data, arguments.name.as_deref(), logs(arguments)?, &SystemChance::new())?;
    let tls = tls_of(&settings.certificate, &settings.certificate_key, &[], &SystemClock)?;
    let listener = listen(arguments.listen)?;
    let address = listener.local_addr()?;
    announce(&witness, address, arguments.json, out)?;
    serve(witness, Arc::new(SystemClock), listener, tls).context("le témoin s'est arrêté sur une erreur")?;
    Ok(ExitCode::SUCCESS)
}

fn announce(witness: &Witness, address: SocketAddr, json: bool, out: &mut dyn Write) -> Result<()> {
    let key = witness.key();
    if json {
        let logs: Vec<String> = witness.logs().iter().map(ToString::to_string).collect();
        let line = serde_json::json!({"vkey": key.to_string(), "name": key.name(), "address": address.to_string(), "logs": logs});
        writeln!(out, "{line}")?;
        return Ok(out.flush()?);
    }
    writeln!(out, "Témoin `{}`, à l'écoute sur https://{address}. Ctrl-C l'arrête.", key.name())?;
    writeln!(out, "\nSur chaque serveur suivi, dans relais.toml :\n")?;
    writeln!(
        out,
        "[[witness]]\nurl = \"https://…:{}\"\nvkey = \"{key}\"\nca_file = \"temoin-ca.pem\"",
        address.port()
    )?;
    writeln!(out, "\nDans la politique des auditeurs (c2sp.org/tlog-policy) :\n")?;
    for log in witness.logs() {
        writeln!(out, "log {log}")?;
    }
    writeln!(out, "witness temoin {key}\nquorum temoin")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;

    #[test]
    fn logs_come_from_the_line_and_from_a_file_and_what_is_printed_can_be_copied() {
        let folder = tempfile::tempdir().unwrap();
        let key = |n: u8| {
            VerifierKey::new("relais.example/journal", SigningKey::from_seed(&[n; 32]).unwrap().public())
        };
        let (one, two) = (key(1).unwrap(), key(2).unwrap());
        let file = folder.path().join("journaux.txt");
        std::fs::write(&file, format!("# val\n\n{two}\n{one}\n")).unwrap();
        let mut arguments = WitnessArguments {
            listen: "127.0.0.1:0".parse().unwrap(),
            name: Some("w.example/temoin".to_owned()),
            logs: vec![one.to_string()],
            file: Some(file.clone()),
            json: false,
        };
        assert_eq!(logs(&arguments).unwrap(), [one, two]);
        let witness = Witness::open(
            folder.path(),
            Some("w.example/temoin"),
            logs(&arguments).unwrap(),
            &SystemChance::new(),
        )
        .unwrap();
        let mut out = Vec::new();
        announce(&witness, arguments.listen, false, &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        let policy: Vec<&str> = said.lines().skip_while(|l| !l.starts_with("log ")).collect();
        // Two keys of one log, both as the format has it.
        let policy = crate::audit::Policy::parse(format!("{}\n", policy.join("\n")).as_bytes());
        assert!(policy.is_ok(), "{said}");
        let settings: Vec<&str> =
            said.lines().skip_while(|l| *l != "[[witness]]").take_while(|l| !l.is_empty()).collect();
        std::fs::write(folder.path().join("relais.toml"), settings.join("\n")).unwrap();
        let settings =
            crate::config::Settings::read(folder.path(), &std::collections::BTreeMap::new()).unwrap();
        assert_eq!(settings.witnesses[0].key, *witness.key());
        std::fs::write(&file, "not a key\n").unwrap();
        arguments.logs.clear();
        assert!(format!("{:#}", logs(&arguments).unwrap_err()).contains("`not a key`"));
    }
}
