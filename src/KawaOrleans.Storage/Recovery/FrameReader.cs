using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Reads frames by positional reads: an I/O error is an exception here, where through a map it would end the process.</summary>
internal sealed class FrameReader(IVolumeFile file, uint segmentKey, long limit, int stepBytes = FrameReader.StepBytes)
{
    /// <summary>Small enough for a processor's own cache: what was read is verified from there.</summary>
    private const int StepBytes = 256 * 1024;

    private const int MaxFrameBytes = Limits.MaxEventBytes;

    private byte[] _buffer = new byte[(int)Math.Min(stepBytes, limit)];
    private long _start;
    private int _filled;

    /// <summary>The frame at an offset; its bytes are valid until the next call.</summary>
    public FrameStatus TryRead(long offset, out Frame frame)
    {
        var bytes = Bytes(offset, FrameLayout.HeaderBytes);
        if (bytes.Length >= FrameLayout.HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameLayout.Length..]);
            if (length is >= FrameLayout.HeaderBytes and <= MaxFrameBytes)
            {
                bytes = Bytes(offset, FrameLayout.Padded(length));
            }
        }

        return Frame.TryRead(bytes, offset, segmentKey, out frame);
    }

    /// <summary>At least <paramref name="wanted"/> bytes from an offset on, fewer only at the limit; never more than are buffered.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int wanted)
    {
        wanted = (int)Math.Min(wanted, Math.Max(0, limit - offset));
        if (offset < _start || offset + wanted > _start + _filled)
        {
            Fill(offset, wanted);
        }

        return _buffer.AsSpan((int)(offset - _start), (int)(_start + _filled - offset));
    }

    private void Fill(long offset, int wanted)
    {
        if (_buffer.Length < wanted)
        {
            _buffer = new byte[wanted + stepBytes];
        }

        _start = offset;
        _filled = 0;
        try
        {
            _filled = file.Read(offset, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, Math.Max(0, limit - offset))));
        }
        catch (IOException e) when (e is not StorageException)
        {
            throw new SegmentUnreadableException(file.Path, e);
        }
    }
}
