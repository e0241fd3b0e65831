using System.Runtime.CompilerServices;

namespace KawaOrleans.Storage.Segments;

/// <summary>Lets one thread in at a time, for sections of some nanoseconds. Entering and leaving together cost a third of a lock's; who has to
/// wait spins, then sleeps in steps of a millisecond. Not re-entrant.</summary>
internal struct SpinGate
{
    private int _taken;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (Interlocked.CompareExchange(ref _taken, 1, 0) != 0)
        {
            Wait();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave() => Volatile.Write(ref _taken, 0);

    private void Wait()
    {
        var spin = default(SpinWait);
        do
        {
            spin.SpinOnce();
        }
        while (Volatile.Read(ref _taken) != 0 || Interlocked.CompareExchange(ref _taken, 1, 0) != 0);
    }
}
