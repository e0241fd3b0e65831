namespace KawaOrleans.Client;

/// <summary>How far a log is known to reach, by all that this client was told. Never goes back.</summary>
internal sealed class KnownEnd
{
    private long _position;

    public long Position => Volatile.Read(ref _position);

    public void Reached(long position)
    {
        for (var known = Position; position > known;)
        {
            var seen = Interlocked.CompareExchange(ref _position, position, known);
            if (seen == known)
            {
                return;
            }

            known = seen;
        }
    }
}
