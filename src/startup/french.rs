//! Why the program does not start, in the words of whoever runs it: what is wrong, and what to do.
//!
//! The rooms below speak English (STYLE §2); what is printed at a start is read by people. Nothing is decided here.

use crate::crypto::kek::KekError;
use crate::crypto::keyring::KeyringError;
use crate::crypto::tls::TlsError;
use crate::service::ServiceError;
use crate::store::StoreError;

/// About the key-encryption key.
pub(super) fn kek(error: &KekError) -> String {
    match error {
        KekError::Missing => {
            "elle manque. Donnez son fichier avec RELAIS_KEK_FILE, hors du dossier de données, ou \
                              donnez au service le « credential » systemd `relais-kek`"
                .to_owned()
        }
        KekError::Unreadable { path, source } => format!(
            "`{}` ne peut pas être lu ({source}). Vérifiez RELAIS_KEK_FILE et que le fichier appartient à \
             l'utilisateur du service",
            path.display()
        ),
        KekError::NotAFile { path } => format!(
            "`{}` n'est pas un fichier ordinaire : donnez le chemin du fichier lui-même, pas un lien",
            path.display()
        ),
        KekError::Mode { path, mode } => format!(
            "`{}` a les droits {mode:04o} : d'autres peuvent la lire. Lancez `chmod 600` ; si elle a pu être lue, \
             changez-la avec `relais keys rotate`",
            path.display()
        ),
        KekError::Owner { path, owner, user } => format!(
            "`{}` appartient à l'utilisateur {owner} et le service tourne sous {user} : changez-en le propriétaire \
             avec `chown`",
            path.display()
        ),
        KekError::InsideData { path, folder } => format!(
            "`{}` est dans le dossier de données `{}` : déplacez-la ailleurs, sinon une copie du dossier ouvre tout",
            path.display(),
            folder.display()
        ),
        KekError::Content { path } => format!(
            "`{}` ne contient pas une clé de 32 octets : il faut 64 caractères hexadécimaux, ou 44 en base64, sur une \
             ligne",
            path.display()
        ),
        KekError::Exists { path } => format!(
            "`{}` existe déjà et n'est jamais remplacée : tout ce qu'elle ouvre serait perdu. Donnez un autre chemin",
            path.display()
        ),
        KekError::Unwritable { path, source } => {
            format!(
                "`{}` ne peut pas être écrite ({source}) : vérifiez le dossier et les droits",
                path.display()
            )
        }
        KekError::Chance(_) => "le système ne donne pas de hasard : la machine n'est pas prête".to_owned(),
    }
}

fn keyring(error: &KeyringError) -> String {
    match error {
        KeyringError::OtherKek { wanted, given, .. } => format!(
            "elle est scellée sous la clé de chiffrement `{wanted}`, et celle qui est donnée est `{given}`. Donnez le \
             bon fichier avec RELAIS_KEK_FILE ; si un changement de clé n'est pas fini, donnez aussi l'ancienne avec \
             RELAIS_KEK_FILE_PREVIOUS et lancez `relais keys rotate`"
        ),
        KeyringError::DoesNotUnwrap { key_id, owner } => format!(
            "la clé `{key_id}` de `{owner}` ne s'ouvre pas : sa ligne a été changée ou déplacée. Remettez une \
             sauvegarde, puis lancez `relais audit verify`"
        ),
        KeyringError::Chance(_) => {
            "le système ne donne pas de hasard : la machine n'est pas prête".to_owned()
        }
        other @ (KeyringError::Seal(_) | KeyringError::Sign(_)) => {
            format!("une clé ne peut pas servir ({other}) : remettez une sauvegarde")
        }
    }
}

/// About the database.
pub(super) fn store(error: &StoreError) -> String {
    match error {
        StoreError::Address => {
            "son adresse n'est ni `postgres://…` ni `sqlite:CHEMIN` : corrigez le réglage `database`"
                .to_owned()
        }
        StoreError::EngineNotBuilt => {
            "ce programme a été construit sans PostgreSQL : construisez-le avec `--features \
                                       postgres`, ou donnez une adresse `sqlite:`"
                .to_owned()
        }
        StoreError::File { path, source } => format!(
            "le fichier `{}` ne peut pas être utilisé ({source}) : vérifiez qu'il existe et qu'il appartient à \
             l'utilisateur du service",
            path.display()
        ),
        StoreError::FileMode(path) => {
            format!("le fichier `{}` peut être lu par d'autres : lancez `chmod 600`", path.display())
        }
        StoreError::Connect(why) => format!(
            "elle ne répond pas ({why}) : vérifiez qu'elle tourne, son adresse et les droits, puis relancez"
        ),
        StoreError::Pool(why) => {
            format!("aucune connexion n'est libre ({why}) : vérifiez qu'elle tourne, puis relancez")
        }
        StoreError::Migration(why) => {
            format!("une mise à niveau a échoué ({why}) : remettez la sauvegarde faite avant, et signalez-le")
        }
        StoreError::MigrationsPending(n) => {
            format!("{n} mise(s) à niveau attende(nt) : faites une sauvegarde, puis lancez `relais migrate`")
        }
        StoreError::NewerDatabase(version) => format!(
            "elle vient d'une version plus récente de Relais (`{version}`) : lancez cette version-là, ou remettez une \
             sauvegarde"
        ),
        StoreError::InstanceKind { found, wanted } => format!(
            "elle est d'un autre genre (`{found}`) : cette commande demande `{wanted}`. Donnez le bon dossier avec \
             --data"
        ),
        StoreError::Database(why) => format!(
            "elle ne répond pas comme il faut ({why}) : vérifiez le disque, puis lancez `relais audit verify`"
        ),
        StoreError::Corrupt { table, what } => format!(
            "une ligne de `{table}` ne se relit pas ({what}) : lancez `relais audit verify`, puis remettez une \
             sauvegarde"
        ),
        StoreError::Keyring(why) => keyring(why),
        StoreError::Stale => "une ligne a changé entre-temps : relancez".to_owned(),
        StoreError::StillInJournal => {
            "ce qui vient d'être effacé est encore dans son journal d'écriture, parce que \
                                       quelqu'un lisait : relancez `relais jobs run sweep`"
                .to_owned()
        }
        StoreError::KeyDestroyed => "sa clé a été détruite : rien ne peut plus être ouvert".to_owned(),
    }
}

/// About what a service answered instead of doing what was asked.
pub(crate) fn service(error: &ServiceError) -> String {
    match error {
        ServiceError::Rule { message, .. } => message.clone(),
        ServiceError::AbsentOrRefused | ServiceError::Explained(_) => {
            "introuvable, ou refusé : vérifiez ce que vous avez nommé".to_owned()
        }
        ServiceError::Invalid(errors) => {
            let all: Vec<String> =
                errors.iter().map(|e| format!("{} : {}", e.path, e.error.french())).collect();
            all.join("\n")
        }
        ServiceError::Unauthenticated => "il faut être connecté : relancez après la connexion".to_owned(),
        ServiceError::Conflict | ServiceError::PreconditionFailed => {
            "cela a changé entre-temps, rien n'a été fait : relancez".to_owned()
        }
        ServiceError::TooManyAttempts(seconds) => {
            format!("trop d'essais : attendez {seconds} secondes, puis recommencez")
        }
        ServiceError::Unavailable(why) => format!(
            "la base ou le journal ne répond pas ({why}) ; rien n'a été changé : vérifiez le disque et la base, puis \
             relancez"
        ),
        ServiceError::Internal(why) => {
            format!("erreur interne ({why}) ; rien n'a été changé : signalez-la avec ce texte")
        }
    }
}

/// About the server's certificate.
pub(super) fn tls(error: &TlsError) -> String {
    match error {
        TlsError::Certificate => {
            "le fichier n'est pas du PEM, ou ne contient aucun certificat : donnez toute la chaîne, \
                                  celui du serveur en premier"
                .to_owned()
        }
        TlsError::Key => {
            "la clé n'est pas une clé PEM sans mot de passe (PKCS#8, SEC1 ou PKCS#1) : convertissez-la \
                          avec `openssl pkey`"
                .to_owned()
        }
        TlsError::Unusable(why) => {
            format!(
                "certificat et clé ne vont pas ensemble ou ne servent à rien ({why}) : lancez `relais certs check`"
            )
        }
    }
}
