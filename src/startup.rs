//! Builds the application.
