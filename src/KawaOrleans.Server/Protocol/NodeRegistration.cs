namespace KawaOrleans.Server.Protocol;

/// <summary>Makes this process the one that votes under its node's name: keeps a new start in the data directory, synced, then swaps it in over
/// the one that the store has. One per process, because a swap without an answer may take effect later: it is repeated, never replaced.</summary>
/// <param name="records">The chain store.</param>
/// <param name="read">What the data directory keeps.</param>
/// <param name="keep">Has it keep other starts; returns when they are synced.</param>
/// <param name="newToken">Draws what tells this start from any other.</param>
internal sealed class NodeRegistration(
    INodeRecords records, Func<NodeDirectory> read, Func<IReadOnlyList<NodeRecord>, Task> keep, Func<Guid> newToken)
{
    // Every lost swap is another directory's progress, and the next read refuses this one.
    private const int MaxSwaps = 20;

    private NodeRecord? _own;

    /// <summary>Returns when the store has the start of this process. Repeatable, and safe to be cut off anywhere.</summary>
    /// <exception cref="NodeRefusedException">This directory may not vote; the message says what to do.</exception>
    /// <exception cref="ChainStoreException">The store is away, or went back in time.</exception>
    public async Task Register(Catalogue catalogue, CancellationToken cancellation)
    {
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var directory = read();
            var record = await records.ReadNode(directory.Self.Name, cancellation);
            switch (RegistrationStep.After(directory, _own, catalogue, record?.Value))
            {
                case RegistrationStep.Registered:
                    await keep([_own!]);
                    return;
                case RegistrationStep.Claim:
                    await Claim(directory, record, cancellation);
                    break;
                case RegistrationStep.Refuse refusal:
                    throw new NodeRefusedException(directory.Self.Name, refusal.Refusal, refusal.Why);
                case RegistrationStep.StoreWentBack back:
                    throw new ChainStoreException(ChainStoreProblem.RolledBack, back.Why);
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"The record of a node changed {MaxSwaps} times while it was to be changed. Retry.");
    }

    /// <summary>Why this process may not vote any more although it registered, or null: another copy of its directory was started since.</summary>
    /// <exception cref="ChainStoreException">The store is away.</exception>
    public async Task<NodeRefusedException?> Recheck(Catalogue catalogue, CancellationToken cancellation)
    {
        var directory = read();
        var record = await records.ReadNode(directory.Self.Name, cancellation);
        return RegistrationStep.After(directory, _own, catalogue, record?.Value) is RegistrationStep.Refuse refusal
            ? new NodeRefusedException(directory.Self.Name, refusal.Refusal, refusal.Why)
            : null;
    }

    private async Task Claim(NodeDirectory directory, Versioned<NodeRecord>? record, CancellationToken cancellation)
    {
        if (_own is null)
        {
            // Earlier ones stay: the swap of a process that died may still be on its way.
            var newest = directory.Starts.Count == 0 ? 0 : directory.Starts.Max(start => start.Start);
            var own = new NodeRecord(directory.Self.Id, newest + 1, newToken());
            await keep([.. directory.Starts, own]);
            _own = own;
        }

        await records.SwapNode(directory.Self.Name, record, _own, cancellation);
    }
}
