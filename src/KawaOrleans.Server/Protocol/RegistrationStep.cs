namespace KawaOrleans.Server.Protocol;

/// <summary>What a node that starts does next before it may vote (docs/PROTOCOL.md, P15).</summary>
internal abstract record RegistrationStep
{
    /// <summary>The store has this process's own start: it votes.</summary>
    public sealed record Registered : RegistrationStep;

    /// <summary>The store has a start of this directory, or none: keep an own one, synced, then swap it in over exactly that.</summary>
    public sealed record Claim : RegistrationStep;

    /// <summary>Another directory, or another copy of this one, has the name.</summary>
    public sealed record Refuse(NodeRefusal Refusal, string Why) : RegistrationStep;

    /// <summary>The store has a start that this directory has long left behind.</summary>
    public sealed record StoreWentBack(string Why) : RegistrationStep;

    /// <param name="node">What the data directory keeps.</param>
    /// <param name="own">The start of this process, or null before one was drawn.</param>
    /// <param name="catalogue">The cluster of the chain store.</param>
    /// <param name="record">What the store has under the node's name.</param>
    public static RegistrationStep After(NodeDirectory node, NodeRecord? own, Catalogue catalogue, NodeRecord? record)
    {
        var (self, name) = (node.Self, node.Self.Name);
        if (node.Cookie is { } cookie && cookie != catalogue.Cookie)
        {
            return new Refuse(NodeRefusal.ForeignCluster,
                $"its data directory belongs to the cluster {cookie:N}, not to {catalogue.Cookie:N}. Point the silo at its own chain store, or name another directory");
        }

        if (catalogue.IsGivenUp(self.Id))
        {
            return new Refuse(NodeRefusal.GivenUp,
                $"its data directory {self.Id:N} was given up as lost, and what it held was or is being copied. Start the node with an empty directory");
        }

        if (record is null)
        {
            return new Claim();
        }

        if (record == own)
        {
            return new Registered();
        }

        if (record.NodeId != self.Id)
        {
            return catalogue.IsGivenUp(record.NodeId) ? new Claim() : new Refuse(NodeRefusal.OtherDirectory,
                $"the chain store knows node '{name}' by the data directory {record.NodeId:N}, and this is {self.Id:N}, "
                + $"{(node.Starts.Count == 0 ? "a new one" : "another one")}. Start it with that directory, or under a name of its own. "
                + $"If that directory is lost for ever, say so: {OperatorCommand.ReplaceNode(name)}");
        }

        if (node.Starts.Contains(record))
        {
            return new Claim();
        }

        return node.Starts.Count > 0 && record.Start < node.Starts[0].Start
            ? new StoreWentBack(
                $"The chain store has start {record.Start} of node '{name}', whose data directory has seen start {node.Starts[0].Start} registered: "
                + $"the store went back in time. Restore the newer record, or write it anew from what the nodes hold: {RebuildCommand.ForAll}")
            : new Refuse(NodeRefusal.Copied,
                $"the chain store has start {record.Start} of node '{name}', of which this data directory ({self.Id:N}) knows nothing: it was copied, or set back "
                + "to an older copy, and the other one was started since. Start the node with the one that was started last. "
                + $"If that is lost for ever, say so: {OperatorCommand.ReplaceNode(name)}, and start with an empty directory");
    }
}

/// <summary>What a node's data directory keeps of itself, synced.</summary>
/// <param name="Self">Its name and id.</param>
/// <param name="Cookie">The cluster it joined; null before.</param>
/// <param name="Starts">The start that was registered last, then each later one that was about to be: the store has one of them.</param>
internal sealed record NodeDirectory(ChainNode Self, Guid? Cookie, IReadOnlyList<NodeRecord> Starts);
