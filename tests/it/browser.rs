//! The desk in a real browser. `TIDINGS_BROWSER` names it; without one, these tests are left out.

mod chromium;
mod desk;
mod forms;
mod hostile;
mod live;
mod pages;
mod pictures;
