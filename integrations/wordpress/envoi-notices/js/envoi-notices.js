/* Tells what was done with a notice, and keeps an open page up to date. WordPress itself takes dismissed ones away. */
( function ( settings ) {
	'use strict';

	const SLOWEST = 300;
	const gone = new Set(); // Done with on this page, whatever an answer on its way still says.
	const told = new Set(); // Told as seen.
	let every = Number( settings.every );
	let all = false;
	let timer;

	function ask( fields ) {
		const body = new URLSearchParams( { _ajax_nonce: settings.nonce, ...fields } );
		return fetch( settings.url, { method: 'POST', body, credentials: 'same-origin', keepalive: true } ).then(
			( answer ) => {
				if ( ! answer.ok ) {
					throw new Error( String( answer.status ) );
				}
				return answer.json();
			}
		);
	}

	function tell( deed, ids ) {
		return ask( { action: settings.action, deed, ids: ids.join( ',' ) } );
	}

	function shown() {
		return [ ...document.querySelectorAll( '.envoi-notice' ) ];
	}

	function finish( deed, notice ) {
		const id = notice.dataset.envoi;
		gone.add( id );
		return tell( deed, [ id ] ).catch( ( error ) => {
			gone.delete( id );
			window.wp?.a11y?.speak( settings.failed, 'assertive' );
			throw error;
		} );
	}

	function tellSeen() {
		const ids = shown()
			.map( ( notice ) => notice.dataset.envoi )
			.filter( ( id ) => ! told.has( id ) );
		if ( ids.length && document.visibilityState === 'visible' ) {
			ids.forEach( ( id ) => told.add( id ) );
			tell( 'seen', ids ).catch( () => ids.forEach( ( id ) => told.delete( id ) ) );
		}
	}

	/* Below the heading, where WordPress puts its own. */
	function place( elements ) {
		const heading = document.querySelector( '.wp-header-end' ) || document.querySelector( '.wrap h1, .wrap h2' );
		let before = shown()[ 0 ]?.previousElementSibling ?? heading;
		for ( const element of elements ) {
			if ( before && before.nextElementSibling !== element ) {
				before.after( element );
			}
			before = element;
		}
	}

	function made( html ) {
		const holder = document.createElement( 'template' );
		holder.innerHTML = html;
		return holder.content.firstElementChild;
	}

	/* Only what changed is touched, so that focus and selection stay where they are. */
	function draw( notices ) {
		const known = new Map( shown().map( ( notice ) => [ notice.dataset.envoi, notice ] ) );
		const ids = new Set( notices.map( ( { id } ) => id ) );
		const wanted = notices.filter( ( { id } ) => ! gone.has( id ) );
		const fresh = [];
		const elements = wanted.map( ( { id, version, html } ) => {
			const old = known.get( id );
			if ( old?.dataset.envoiVersion === version ) {
				return old;
			}
			const element = made( html );
			old?.replaceWith( element );
			fresh.push( element );
			return element;
		} );
		place( elements );
		for ( const [ id, element ] of known ) {
			if ( ! ids.has( id ) ) {
				element.remove();
			}
		}
		// Envoi knows by now; should the operator take it back, it comes again.
		[ ...gone ].filter( ( id ) => ! ids.has( id ) ).forEach( ( id ) => gone.delete( id ) );
		if ( fresh.length ) {
			window.jQuery?.( document ).trigger( 'wp-updates-notice-added' ); // WordPress adds its buttons.
			fresh.forEach( ( element ) => window.wp?.a11y?.speak( element.querySelector( 'strong' ).textContent ) );
		}
	}

	function offer( more ) {
		document.querySelector( '.envoi-more' )?.remove();
		const last = shown().at( -1 );
		if ( ! more || ! last ) {
			return;
		}
		const line = document.createElement( 'p' );
		const button = document.createElement( 'button' );
		line.className = 'envoi-more';
		button.type = 'button';
		button.className = 'button';
		button.textContent = `${ settings.all } (+${ more })`;
		button.addEventListener( 'click', () => {
			all = true;
			last.tabIndex = -1;
			last.focus();
			look();
		} );
		line.append( button );
		last.after( line );
	}

	function look() {
		clearTimeout( timer );
		return ask( { action: settings.look, ...( all ? { all: '1' } : {} ) } )
			.then( ( { data } ) => {
				every = Number( settings.every );
				draw( data.notices );
				if ( String( data.more ) !== settings.more || all ) {
					settings.more = String( data.more );
					offer( data.more );
				}
				tellSeen();
			} )
			.catch( () => {
				every = Math.min( every * 2, SLOWEST );
			} )
			.finally( again );
	}

	function again() {
		clearTimeout( timer );
		if ( every && document.visibilityState === 'visible' ) {
			timer = setTimeout( look, every * 1000 );
		}
	}

	document.addEventListener( 'click', ( event ) => {
		const notice = event.target.closest?.( '.envoi-notice' );
		if ( ! notice ) {
			return;
		}
		if ( event.target.closest( '.notice-dismiss' ) ) {
			finish( 'dismissal', notice ).catch( () => {} );
		} else if ( event.target.closest( '[data-envoi-acknowledge]' ) ) {
			finish( 'acknowledgement', notice ).then( () => notice.remove(), () => {} );
		} else if ( event.target.closest( 'a[href]' ) ) {
			tell( 'clicks', [ notice.dataset.envoi ] ).catch( () => {} );
		}
	} );

	document.addEventListener( 'visibilitychange', () => {
		if ( every && document.visibilityState === 'visible' ) {
			look();
		}
	} );
	jQuery( () => {
		// After WordPress has put the notices where they belong.
		offer( Number( settings.more ) );
		tellSeen();
		again();
	} );
} )( window.envoiNotices );
