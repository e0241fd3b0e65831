namespace KawaOrleans.Client;

/// <summary>How far a log is known to be committed, by all that this client was told. Of one log it never goes back; another one that took over the name
/// begins anew.</summary>
internal sealed class KnownEnd
{
    private volatile Told _told = new(Guid.Empty);

    /// <summary>Of the log that has the name, as far as this client has noticed.</summary>
    public long Position => Volatile.Read(ref _told.Position);

    /// <summary>The log that <see cref="Position"/> is of.</summary>
    public Guid LogId => _told.LogId;

    /// <summary>Of this log; 0 when nothing was told of it.</summary>
    public long Of(Guid logId) => _told is { } told && told.LogId == logId ? Volatile.Read(ref told.Position) : 0;

    /// <summary>The name is this log's now.</summary>
    public void Begin(Guid logId)
    {
        if (_told.LogId != logId)
        {
            _told = new Told(logId);
        }
    }

    /// <summary>What is told of a log that no longer has the name is not kept.</summary>
    public void Reached(Guid logId, long position)
    {
        var told = _told;
        for (var known = Volatile.Read(ref told.Position); told.LogId == logId && position > known;)
        {
            var seen = Interlocked.CompareExchange(ref told.Position, position, known);
            known = seen == known ? position : seen;
        }
    }

    private sealed class Told(Guid logId)
    {
        public long Position;

        public Guid LogId => logId;
    }
}
