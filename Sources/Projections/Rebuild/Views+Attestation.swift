package import Broker

extension Views {
    /// The command that says in the log what a view holds now, at the view's own checkpoint.
    ///
    /// Reads the whole view in one snapshot: some tens of millions of rows a second.
    ///
    /// - Parameter check: Called every 65,536 rows; what it throws ends it.
    /// - Returns: Nil for a view that has projected nothing yet.
    /// - Throws: ``ViewUnavailable``; ``ViewDamaged``: what is damaged is rebuilt, not attested; `LMDBError`;
    ///   what `check` throws.
    package func attestation(
        of projection: any Projection.Type,
        check: () throws -> Void = {}
    ) throws -> Command? {
        let found = try digest(of: projection, check: check)
        guard found.damage.isEmpty else { throw ViewDamaged(view: found.view, findings: found.damage) }
        guard found.checkpoint.offset > 0 else { return nil }
        let view = EventPayload.AttestedView(
            name: projection.name,
            version: UInt32(projection.version),
            digest: found.digest
        )
        return .attest([view], at: found.checkpoint.offset)
    }
}

/// Rows of a view that can't be right whatever the log says.
package struct ViewDamaged: Error, CustomStringConvertible {
    /// The view's name.
    package var view: String
    package var findings: [String]
    package var description: String { "the view \(view) is damaged: \(findings.joined(separator: "; "))" }
}
