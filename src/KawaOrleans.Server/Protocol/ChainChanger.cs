namespace KawaOrleans.Server.Protocol;

/// <summary>Changes chains. Any number of these, in any silos, may work on one log at once: every change is a compare-and-swap,
/// every step may be repeated, and what one leaves half done the next one finishes. One per silo is enough; it keeps, per log, only
/// what it has seen and told. A call whose wait is cancelled may take effect all the same.</summary>
internal sealed class ChainChanger
{
    private readonly CatalogueChanger _catalogue;
    private readonly ChainRebuild _rebuild;
    private readonly ChainReader _reader;
    private readonly LogDeletion _deletion;
    private readonly LogCreation _creation;
    private readonly WriteSegmentOpening _opening;

    /// <param name="records">The chain store.</param>
    /// <param name="nodes">The way to the nodes.</param>
    /// <param name="newId">Draws ids.</param>
    /// <param name="newLogs">What a log is created with by its first append; the default options unless given.</param>
    public ChainChanger(IChainRecords records, INodes nodes, Func<Guid> newId, LogOptions? newLogs = null)
    {
        var fencing = new Fencing(nodes);
        var announcement = new Announcement(nodes);
        _catalogue = new CatalogueChanger(records, nodes, newId);
        _rebuild = new ChainRebuild(records, nodes, _catalogue, announcement);
        _reader = new ChainReader(records, nodes, _rebuild);
        _deletion = new LogDeletion(records, nodes, _reader, _catalogue, fencing);
        _creation = new LogCreation(records, _reader, _catalogue, _deletion);
        _opening = new WriteSegmentOpening(
            records, nodes, newLogs ?? new LogOptions(), _reader, _catalogue, _creation, _deletion, fencing, announcement,
            new SegmentReport(nodes), new NextSegment(nodes, newId));
    }

    /// <summary>The catalogue, with the cookie that a node joins the cluster with; made when store and nodes are new, and rebuilt
    /// with all logs when it was lost on a cluster of one node.</summary>
    /// <exception cref="ChainStoreException">It was lost, or a live node does not say whether it is new.</exception>
    public async Task<Catalogue> Join(CancellationToken cancellation)
    {
        try
        {
            return (await _catalogue.Require(cancellation)).Value;
        }
        catch (ChainStoreException lost) when (lost.Problem == ChainStoreProblem.Lost)
        {
            if (!await _rebuild.MayBeAutomatic(cancellation))
            {
                throw;
            }

            await _rebuild.All([], cancellation);
            return (await _catalogue.Require(cancellation)).Value;
        }
    }

    /// <summary>All created logs, by name.</summary>
    public async Task<IReadOnlyList<LogSummary>> ListLogs(CancellationToken cancellation)
    {
        var catalogue = await Join(cancellation);
        return [.. catalogue.Logs.Where(log => !catalogue.Creating.Contains(log.Value))
            .OrderBy(log => log.Key, StringComparer.Ordinal).Select(log => new LogSummary(log.Key, log.Value))];
    }

    /// <summary>Creates the log, or finds it when it exists with these options.</summary>
    /// <exception cref="RequestRefusedException">Bad name or options, or it exists with other options.</exception>
    public async Task<Chain> CreateLog(string logName, LogOptions options, CancellationToken cancellation)
    {
        RequireName(logName);
        if (options.WhyNot() is { } reason)
        {
            throw new RequestRefusedException($"Log '{logName}' cannot be created: {reason}.");
        }

        var chain = (await _creation.Ensure(logName, options, cancellation)).Value;
        return chain.Options == options ? chain : throw new RequestRefusedException(
            $"Log '{logName}' exists with other options: {chain.Options}, not {options}. They are fixed for a log's life.");
    }

    /// <summary>The chain as the store has it, compared with what the nodes were told.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    public async Task<Chain> Read(string logName, CancellationToken cancellation)
    {
        RequireName(logName);
        return (await _reader.Find(logName, cancellation))?.Value ?? throw new UnknownLogException(logName);
    }

    /// <summary>Answers with a chain whose last segment is open, is not <paramref name="after"/>, and has been told to its primary.
    /// Creates the log if there is none; rolls only if <paramref name="after"/> is still the last. Of several replicas that one may go on all
    /// the same: then the answer is the chain with it (<see cref="SegmentReport"/>).</summary>
    /// <exception cref="LogNotWritableException">No segment can be opened now; repeating the call later is safe.</exception>
    /// <exception cref="SegmentFaultedException">Two writers had the open segment.</exception>
    public Task<Chain> OpenWriteSegment(string logName, Guid? after, int batchBytes, CancellationToken cancellation) =>
        OpenWriteSegment(logName, after, batchBytes, null, cancellation);

    /// <summary>The same, by who had files made ahead for a segment with this id, and gives it to nobody else: two claims of one id could both come to nodes.</summary>
    public Task<Chain> OpenWriteSegment(string logName, Guid? after, int batchBytes, Guid? nextId, CancellationToken cancellation)
    {
        RequireName(logName);
        return batchBytes is >= 0 and <= Limits.MaxBatchBytes
            ? _opening.Open(logName, after, batchBytes, nextId, cancellation)
            : throw new RequestRefusedException($"A batch has 0 to {Limits.MaxBatchBytes} bytes; {batchBytes} is not.");
    }

    /// <summary>Ends the log; when it returns nothing more is acknowledged to it.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="NodeUnavailableException">The open segment's node does not answer.</exception>
    public Task DeleteLog(string logName, CancellationToken cancellation)
    {
        RequireName(logName);
        return _deletion.Delete(logName, cancellation);
    }

    /// <summary>Writes one log's chain anew from what the nodes hold, if the store's is missing or older.</summary>
    /// <exception cref="ChainStoreException">The answers do not prove what the chain was; the message says what is missing.</exception>
    public Task<Rebuilt> Rebuild(string logName, IReadOnlyCollection<string> givenUp, CancellationToken cancellation)
    {
        RequireName(logName);
        return _rebuild.One(logName, givenUp, cancellation);
    }

    /// <summary>Writes the catalogue and every log's chain anew, where they are missing or older.</summary>
    public Task<RebuiltLogs> RebuildAll(IReadOnlyCollection<string> givenUp, CancellationToken cancellation) => _rebuild.All(givenUp, cancellation);

    private static void RequireName(string logName)
    {
        if (Names.WhyNotKey(logName) is { } reason)
        {
            throw new RequestRefusedException($"'{logName}' is no log name: {reason}.");
        }
    }
}
