namespace KawaOrleans.Storage.Segments;

/// <summary>The tail as readers see it: three numbers that change together, without a lock and without garbage.</summary>
/// <remarks>A sequence lock for one writer: the sequence is odd while the numbers change; a reader that saw it odd, or saw it
/// change, reads again. The offset of every event below a tail is in the index before the tail is published.</remarks>
internal sealed class PublishedTail
{
    private long _position;
    private long _offset;
    private long _lastTimestamp;
    private int _sequence;

    public PublishedTail(Tail tail) => Publish(tail);

    public Tail Read()
    {
        for (var spin = default(SpinWait); ; spin.SpinOnce())
        {
            var before = Volatile.Read(ref _sequence);
            var tail = new Tail(Volatile.Read(ref _position), Volatile.Read(ref _offset), Volatile.Read(ref _lastTimestamp));
            if ((before & 1) == 0 && Volatile.Read(ref _sequence) == before)
            {
                return tail;
            }
        }
    }

    public void Publish(Tail tail)
    {
        var sequence = _sequence;
        Volatile.Write(ref _sequence, unchecked(sequence + 1));
        Volatile.WriteBarrier();
        Volatile.Write(ref _position, tail.Position);
        Volatile.Write(ref _offset, tail.Offset);
        Volatile.Write(ref _lastTimestamp, tail.LastTimestamp);
        Volatile.Write(ref _sequence, unchecked(sequence + 2));
    }
}
