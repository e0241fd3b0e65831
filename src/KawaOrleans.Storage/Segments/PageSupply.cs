using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>Has the map's next pages ready before the writer reaches them: a first touch costs more than an append.</summary>
/// <remarks>In steps of 1 MiB up to 64 MiB ahead, by one background task at a time. Populating the whole file at once, or letting
/// the kernel read ahead (MADV_SEQUENTIAL), was measured slower.</remarks>
internal sealed class PageSupply : IThreadPoolWorkItem
{
    private const long StepBytes = 1024 * 1024;
    private const long AheadBytes = 64 * StepBytes;
    private const long RefillBytes = 32 * StepBytes;
    private const long AtOnceBytes = 2 * StepBytes;

    private readonly IWritableMap _map;
    private readonly long _length;
    private long _reached;
    private long _supplied;
    private int _running;

    public PageSupply(IWritableMap map, long from)
    {
        _map = map;
        _length = map.Length;
        _reached = from;
        _supplied = from - (from % StepBytes);
        Supply(from + AtOnceBytes);
        Reached(from);
    }

    /// <summary>Tells how far the writer is.</summary>
    public void Reached(long offset)
    {
        Volatile.Write(ref _reached, offset);
        if (offset + RefillBytes > Volatile.Read(ref _supplied) && _supplied < _length && Interlocked.Exchange(ref _running, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        // A writer that overtook the supply has touched those pages itself.
        _supplied = Math.Max(_supplied, Volatile.Read(ref _reached) / StepBytes * StepBytes);
        Supply(Volatile.Read(ref _reached) + AheadBytes);
        Volatile.Write(ref _running, 0);
    }

    private void Supply(long to)
    {
        to = Math.Min(to, _length);
        while (_supplied < to)
        {
            var step = Math.Min(StepBytes, to - _supplied);
            _map.Supply(_supplied, step);
            Volatile.Write(ref _supplied, _supplied + step);
        }
    }
}
