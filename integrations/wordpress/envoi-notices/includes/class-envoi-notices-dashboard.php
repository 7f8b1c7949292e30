<?php
/**
 * Notices as WordPress shows its own, on every page of a site's dashboard.
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'ABSPATH' ) || exit;

/**
 * Content comes harmless from Envoi, and is cleaned here once more.
 */
final class Envoi_Notices_Dashboard {
	private const ACTION  = 'envoi_notices';
	private const LOOK    = 'envoi_notices_now';
	private const EVERY   = 3;
	private const DEEDS   = array( 'dismissal', 'acknowledgement', 'clicks' );
	private const LEVELS  = array( 'info', 'success', 'warning', 'error' );
	private const ALLOWED = array(
		'a'          => array(
			'href' => true,
			'rel'  => true,
		),
		'b'          => array(),
		'blockquote' => array(),
		'br'         => array(),
		'code'       => array(),
		'del'        => array(),
		'em'         => array(),
		'h2'         => array(),
		'h3'         => array(),
		'h4'         => array(),
		'hr'         => array(),
		'i'          => array(),
		'li'         => array(),
		'ol'         => array( 'start' => true ),
		'p'          => array(),
		'pre'        => array(),
		's'          => array(),
		'strong'     => array(),
		'sub'        => array(),
		'sup'        => array(),
		'u'          => array(),
		'ul'         => array(),
	);

	/**
	 * Start with what it needs.
	 *
	 * @param Envoi_Notices_Settings $settings Where Envoi is.
	 * @param Envoi_Notices_Client   $client   Asks it.
	 */
	public function __construct( private Envoi_Notices_Settings $settings, private Envoi_Notices_Client $client ) {}

	/**
	 * Take part in the dashboards.
	 */
	public function register(): void {
		if ( ! $this->settings->complete() ) {
			return;
		}
		add_action( 'admin_notices', array( $this, 'show' ) );
		add_action( 'user_admin_notices', array( $this, 'show' ) );
		add_action( 'admin_enqueue_scripts', array( $this, 'style' ) );
		add_action( 'wp_ajax_' . self::ACTION, array( $this, 'take' ) );
		add_action( 'wp_ajax_' . self::LOOK, array( $this, 'look' ) );
	}

	/**
	 * A long word breaks; everything else looks as WordPress has it.
	 */
	public function style(): void {
		wp_add_inline_style( 'common', '.envoi-notice { overflow-wrap: anywhere; }' );
	}

	/**
	 * Show what this user is to see.
	 */
	public function show(): void {
		$answer = $this->client->answer( wp_get_current_user() );
		foreach ( $answer['notices'] as $notice ) {
			$this->show_one( $notice );
		}
		$this->enqueue( $answer['more'] );
	}

	/**
	 * Tell an open page what the user is to see by now.
	 */
	public function look(): void {
		check_ajax_referer( self::ACTION );
		$answer = $this->client->answer( wp_get_current_user(), ! empty( $_POST['all'] ) );
		$shown  = array();
		foreach ( $answer['notices'] as $notice ) {
			ob_start();
			$this->show_one( $notice );
			$shown[] = array(
				'id'      => (string) ( $notice['id'] ?? '' ),
				'version' => $this->version( $notice ),
				'html'    => (string) ob_get_clean(),
			);
		}
		wp_send_json_success(
			array(
				'notices' => $shown,
				'more'    => $answer['more'],
			)
		);
	}

	/**
	 * Take what the user did: seen, dismissed, acknowledged, clicked.
	 */
	public function take(): void {
		check_ajax_referer( self::ACTION );
		$user = wp_get_current_user();
		$deed = isset( $_POST['deed'] ) ? sanitize_key( wp_unslash( $_POST['deed'] ) ) : '';
		$ids  = isset( $_POST['ids'] ) ? explode( ',', sanitize_text_field( wp_unslash( $_POST['ids'] ) ) ) : array();
		$ids  = array_values( array_filter( $ids, static fn( string $id ): bool => 1 === preg_match( '/^[0-9a-f]{16}$/D', $id ) ) );
		if ( ! $ids || ! in_array( $deed, array( 'seen', ...self::DEEDS ), true ) ) {
			wp_send_json_error( null, 400 );
		}
		$taken = 'seen' === $deed
			? $this->client->tell( $user, 'seen', array( 'ids' => $ids ) )
			: $this->client->tell( $user, $ids[0] . '/' . $deed );
		if ( ! $taken ) {
			wp_send_json_error( null, 502 );
		}
		wp_send_json_success();
	}

	/**
	 * Show one notice.
	 *
	 * @param array<string, mixed> $notice As Envoi tells it.
	 */
	private function show_one( array $notice ): void {
		$level = in_array( $notice['level'] ?? '', self::LEVELS, true ) ? $notice['level'] : 'info';
		$link  = is_array( $notice['link'] ?? null ) ? $notice['link'] : null;
		printf(
			'<div class="notice notice-%1$s envoi-notice%2$s" data-envoi="%3$s" data-envoi-version="%4$s">',
			esc_attr( $level ),
			empty( $notice['dismissible'] ) ? '' : ' is-dismissible',
			esc_attr( (string) ( $notice['id'] ?? '' ) ),
			esc_attr( $this->version( $notice ) )
		);
		printf(
			'<p><strong dir="auto"><span class="screen-reader-text">%1$s: </span>%2$s</strong></p><div dir="auto">%3$s</div>',
			esc_html( $this->level_name( $level ) ),
			esc_html( (string) ( $notice['subject'] ?? '' ) ),
			wp_kses( (string) ( $notice['body'] ?? '' ), self::ALLOWED, array( 'http', 'https', 'mailto', 'tel' ) )
		);
		if ( $link || ! empty( $notice['must_acknowledge'] ) ) {
			echo '<p>';
			if ( $link ) {
				printf( '<a class="button button-primary" href="%1$s" rel="noopener noreferrer">%2$s</a> ', esc_url( (string) ( $link['url'] ?? '' ), array( 'http', 'https' ) ), esc_html( (string) ( $link['label'] ?? '' ) ) );
			}
			if ( ! empty( $notice['must_acknowledge'] ) ) {
				printf( '<button type="button" class="button" data-envoi-acknowledge>%s</button>', esc_html__( 'I have read this', 'envoi-notices' ) );
			}
			echo '</p>';
		}
		echo '</div>';
	}

	/**
	 * A short mark of what it says: another one when it was changed.
	 *
	 * @param array<string, mixed> $notice As Envoi tells it.
	 */
	private function version( array $notice ): string {
		return substr( md5( (string) wp_json_encode( $notice ) ), 0, 12 );
	}

	/**
	 * The level for those who do not see its colour.
	 *
	 * @param string $level One of LEVELS.
	 */
	private function level_name( string $level ): string {
		return match ( $level ) {
			'success' => __( 'Good news', 'envoi-notices' ),
			'warning' => __( 'Warning', 'envoi-notices' ),
			'error'   => __( 'Important', 'envoi-notices' ),
			default   => __( 'Information', 'envoi-notices' ),
		};
	}

	/**
	 * The script; it stands at the end of the page.
	 *
	 * @param int $more How many notices there are beyond the limit for one dashboard.
	 */
	private function enqueue( int $more ): void {
		/**
		 * Filters how often an open and visible page asks for notices, in seconds; 0: only when it is loaded.
		 *
		 * @param int $every Seconds.
		 */
		$every = max( 0, (int) apply_filters( 'envoi_notices_every', self::EVERY ) );
		$file = 'js/envoi-notices.js';
		$path = plugin_dir_path( __DIR__ ) . $file;
		wp_enqueue_script( 'envoi-notices', plugins_url( $file, __DIR__ ), array( 'jquery', 'common', 'wp-a11y' ), (string) filemtime( $path ), true );
		wp_localize_script(
			'envoi-notices',
			'envoiNotices',
			array(
				'url'    => admin_url( 'admin-ajax.php' ),
				'action' => self::ACTION,
				'look'   => self::LOOK,
				'every'  => (string) $every,
				'more'   => (string) $more,
				'all'    => __( 'Show all notices', 'envoi-notices' ),
				'nonce'  => wp_create_nonce( self::ACTION ),
				'failed' => __( 'This could not be saved. It will be shown again.', 'envoi-notices' ),
			)
		);
	}
}
