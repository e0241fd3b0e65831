using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>Has the map's next pages ready before the writer reaches them, and the full ones on their way to the disk behind it: a
/// first touch costs more than an append, and a sync of a whole segment would keep the roll waiting.</summary>
/// <remarks>In steps of 1 MiB up to 64 MiB ahead, by one background task at a time. Populating the whole file at once, or letting
/// the kernel read ahead (MADV_SEQUENTIAL), was measured slower. Only pages that lie wholly behind the writer are written back: one
/// on its way to the disk is not written again.</remarks>
internal sealed class PageSupply : IThreadPoolWorkItem
{
    private const long StepBytes = 1024 * 1024;
    private const long AheadBytes = 64 * StepBytes;
    private const long RefillBytes = 32 * StepBytes;
    private const long AtOnceBytes = 2 * StepBytes;
    private const long BehindBytes = 4 * StepBytes;

    private readonly IWritableMap _map;
    private readonly IVolumeFile _file;
    private long _reached;
    private long _supplied;
    private long _writtenBack;
    private int _running;

    public PageSupply(IWritableMap map, IVolumeFile file, long from)
    {
        _map = map;
        _file = file;
        _reached = from;
        _supplied = from - (from % StepBytes);
        _writtenBack = _supplied;
        Supply(from + AtOnceBytes);
        Reached(from);
    }

    /// <summary>Tells how far the writer is.</summary>
    public void Reached(long offset)
    {
        Volatile.Write(ref _reached, offset);
        var wanted = (offset + RefillBytes > Volatile.Read(ref _supplied) && _supplied < _map.Length) || offset - Volatile.Read(ref _writtenBack) >= BehindBytes;
        if (wanted && Interlocked.Exchange(ref _running, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        // A writer that overtook the supply has touched those pages itself.
        _supplied = Math.Max(_supplied, Volatile.Read(ref _reached) / StepBytes * StepBytes);
        Supply(Volatile.Read(ref _reached) + AheadBytes);
        WriteBack();
        Volatile.Write(ref _running, 0);
    }

    private void WriteBack()
    {
        var full = Volatile.Read(ref _reached) / StepBytes * StepBytes;
        if (full - _writtenBack >= BehindBytes)
        {
            try
            {
                _file.StartWriteBack(_writtenBack, full - _writtenBack);
            }
            catch (ObjectDisposedException)
            {
                // The segment was closed meanwhile, synced.
            }

            Volatile.Write(ref _writtenBack, full);
        }
    }

    private void Supply(long to)
    {
        to = Math.Min(to, _map.Length);
        while (_supplied < to)
        {
            var step = Math.Min(StepBytes, to - _supplied);
            _map.Supply(_supplied, step);
            Volatile.Write(ref _supplied, _supplied + step);
        }
    }
}
