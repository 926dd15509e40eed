//! What answers each contract field of the domain, one line a field.

mod document;
mod folder;
mod shares;

use ward_engine::{Bindings, Kind, op};
use ward_store::Entity;

use crate::tables::{DOCUMENT_VIEWINGS, DOCUMENTS, Document, FOLDERS, Folder};
use crate::{document as documents, folder as folders, from_notes, listing, quarantine, shareable};

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    document::bind(b);
    folder::bind(b);
    quarantine::bind(b);
}

const DOCUMENT: Kind = Kind::Id(Document::NAME);
const FOLDER: Kind = Kind::Id(Folder::NAME);

fn queries(b: &mut Bindings) {
    b.query_one("document", &DOCUMENTS, listing::document)
        .args(&[("care_plan_id", Kind::Id(listing::CarePlanRef::NAME)), ("id", DOCUMENT)]);
    b.query_list("documents", &DOCUMENTS, listing::documents)
        .args(listing::DOCUMENTS_ARGS)
        .orders(listing::DOCUMENT_ORDERS, "NAME_ASC");
    b.query_count("documentsCount", &DOCUMENTS, listing::documents)
        .args(listing::DOCUMENTS_COUNT_ARGS);
    b.query_one("folder", &FOLDERS, listing::folder).args(&[("id", FOLDER)]);
    b.query_list("folders", &FOLDERS, listing::folders)
        .args(listing::FOLDERS_ARGS)
        .orders(listing::FOLDER_ORDERS, "NAME_ASC");
    b.query_count("foldersCount", &FOLDERS, listing::folders).args(listing::FOLDERS_COUNT_ARGS);
    b.query_one_of(
        "shareable",
        &[
            (Document::NAME, &DOCUMENTS, listing::shareable_document),
            (Folder::NAME, &FOLDERS, listing::shareable_folder),
        ],
    )
    .args(&[("id", DOCUMENT), ("shareable_type", Kind::Plain)]);
    let viewings = &DOCUMENT_VIEWINGS;
    b.query_list("documentViewings", viewings, listing::viewings)
        .args(&[("document_id", DOCUMENT)])
        .orders(listing::VIEWED, "VIEWED_AT_DESC");
    b.query_count("documentViewingsCount", viewings, listing::viewings)
        .args(&[("document_id", DOCUMENT)]);
}

fn mutations(b: &mut Bindings) {
    b.mutation_prepared(
        "createDocument",
        documents::RETURNS,
        |request, input| Box::pin(documents::prepare(request, input)),
        op!(documents::create),
    );
    b.mutation_prepared(
        "shareAnswersAsDocument",
        documents::RETURNS,
        |request, input| Box::pin(from_notes::prepare_share(request, input)),
        op!(from_notes::share),
    );
    b.mutation_prepared(
        "generateChartingPdf",
        from_notes::CLIENT,
        |request, input| Box::pin(from_notes::prepare_chart(request, input)),
        op!(from_notes::chart),
    );
    b.mutation("updateDocument", documents::RETURNS, op!(documents::update));
    b.mutation("deleteDocument", documents::RETURNS, op!(documents::delete));
    b.mutation("createFolder", folders::RETURNS, op!(folders::create));
    b.mutation("updateFolder", folders::RETURNS, op!(folders::update));
    b.mutation("deleteFolder", folders::RETURNS, op!(folders::delete));
    b.mutation("createSharings", shareable::RETURNS, op!(shareable::create));
    b.mutation("deleteSharings", shareable::RETURNS, op!(shareable::delete));
}
