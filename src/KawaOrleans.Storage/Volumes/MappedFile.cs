using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Storage.Volumes;

/// <summary>A map of a whole file, unmapped when nothing refers to it or to memory taken from it any more.</summary>
/// <remarks>
/// The collector is the reference count: a message built from the map may be serialised later and twice, by code that knows
/// nothing of maps. Unmapping late costs address space; unmapping early would end the process.
/// The view accessor is never disposed: that would sync the whole map.
/// </remarks>
internal sealed unsafe class MappedFile : IWritableMap
{
    private readonly SafeMemoryMappedViewHandle _view;
    private readonly byte* _start;

    public MappedFile(SafeFileHandle handle, long length, MemoryMappedFileAccess access)
    {
        Length = length;
        using var mapping = MemoryMappedFile.CreateFromFile(
            handle, mapName: null, capacity: 0, access, HandleInheritability.None, leaveOpen: true);
        var accessor = mapping.CreateViewAccessor(0, length, access);
        _view = accessor.SafeMemoryMappedViewHandle;
        byte* start = null;
        _view.AcquirePointer(ref start);
        _start = start + accessor.PointerOffset;
    }

    // The handle's own finaliser is critical, so it runs after this one and then unmaps.
    ~MappedFile() => _view?.ReleasePointer();

    public long Length { get; }

    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        CheckRange(offset, length);
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    public ReadOnlyMemory<byte> Memory(long offset, int length)
    {
        CheckRange(offset, length);
        return new MappedMemory(this, _start + offset, length).Memory;
    }

    public Span<byte> WritableSpan(long offset, int length)
    {
        CheckRange(offset, length);
        return new Span<byte>(_start + offset, length);
    }

    public void Wrote(long offset, int length)
    {
        // The kernel knows from the page tables.
    }

    public void Supply(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        PageAdvice.Populate(_start + offset, length);
    }

    private void CheckRange(long offset, int length)
    {
        // An access beyond the map ends the process, so this check stays in release builds.
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
    }

    private sealed class MappedMemory(MappedFile owner, byte* start, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan()
        {
            var span = new Span<byte>(start, length);
            GC.KeepAlive(owner);
            return span;
        }

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)length, nameof(elementIndex));
            return new MemoryHandle(start + elementIndex, default, this);
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
